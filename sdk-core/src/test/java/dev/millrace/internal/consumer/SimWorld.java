package dev.millrace.internal.consumer;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.config.MissingOffset;
import dev.millrace.internal.time.SteppedClock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Predicate;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;

/**
 * Processes, a broker and a time, all on one thread: what happens next is drawn from a seed, and
 * after each step all that must hold is checked.
 */
final class SimWorld {
  static final int MAX_POLL = 5;
  static final Duration LONGEST_STEP = Duration.ofMillis(20);

  private static final List<SimHandler.Kind> KINDS =
      List.of(
          SimHandler.Kind.ASYNCHRONOUS,
          SimHandler.Kind.ASYNCHRONOUS,
          SimHandler.Kind.IN_WORKER,
          SimHandler.Kind.IN_BATCHES);
  private static final int MOST_PROCESSES = 3;
  private static final int CHAOS_STEPS = 300;
  private static final int MOST_HEALING_STEPS = 20_000;

  final Random random;
  final SimBug bug;
  final SteppedClock clock = new SteppedClock();
  final SimBroker broker;
  final SimOracle oracle;
  final List<SimProcess> processes = new ArrayList<>();

  final SimHandler.Kind kind;

  /** Whether its consumers are exactly-once. */
  final boolean exactlyOnce;

  /** Whether services have a listener, and whether their meters are looked at. */
  final boolean listens;

  final boolean counts;

  /** In how many slices its consumers' partitions are. */
  final int slices;

  /** Whether a new process has the transactional ids of one that has ended. */
  private final boolean keepsIds;

  /** What the services want, and what their engines are told. */
  final ConsumerDefinition definition;

  final ConsumerDefinition told;

  /** Whether logs change all the time. */
  private final boolean restless;

  boolean chaos = true;

  /** How many calls of transactions wait for their answers, one within the other. */
  private int waitingCalls;

  /** How long turns took that were made while another process waited in its own. */
  long nanosOfOthers;

  private final long seed;
  private final boolean talks;
  private final List<String> story = new ArrayList<>();

  private SimWorld(long seed, SimBug bug, boolean talks) {
    this.seed = seed;
    this.random = new Random(seed);
    this.bug = bug;
    this.talks = talks;
    int partitions = 1 + random.nextInt(3);
    this.kind = KINDS.get(random.nextInt(KINDS.size()));
    this.exactlyOnce = oneIn(4) || bug.isOfTransactions();
    this.broker = new SimBroker(this, partitions);
    this.oracle = new SimOracle(this, partitions);
    this.slices = 1 + random.nextInt(2);
    this.keepsIds = oneIn(2);
    this.listens = oneIn(2);
    this.counts = oneIn(8);
    this.restless = oneIn(8);
    this.definition = SimDefinitions.drawn(random, new Random(~seed), exactlyOnce);
    this.told = SimDefinitions.told(definition, bug);
    if (definition.onMissingOffset().start() == MissingOffset.Start.FAIL) {
      broker.repairOffsets();
    }
  }

  /**
   * Lives through a world.
   *
   * @throws SimOracle.Violation that names the seed; the same seed breaks in the same way again
   */
  static void live(long seed, SimBug bug) {
    try {
      new SimWorld(seed, bug, false).live();
    } catch (Throwable broken) {
      throw new SimWorld(seed, bug, true).liveAgain();
    }
  }

  /** The same once more, and with every word. */
  private SimOracle.Violation liveAgain() {
    Throwable cause;
    try {
      live();
      cause = new IllegalStateException("It did not break again: something is not of the seed.");
    } catch (Throwable broken) {
      cause = oracle.first() == null ? broken : oracle.first();
    }
    int from = Math.max(0, story.size() - 60);
    SimOracle.Violation violation =
        new SimOracle.Violation(
            "Seed %d, %s: %s%nThe last of what happened:%n  %s"
                .formatted(
                    seed,
                    definition.ordering(),
                    cause,
                    String.join("%n  ".formatted(), story.subList(from, story.size()))));
    violation.initCause(cause);
    return violation;
  }

  private void live() {
    broker.append(10);
    start();
    for (int i = 0; i < CHAOS_STEPS; i++) {
      step();
    }
    heal();
    int steps = 0;
    while (!oracle.isQuiet()) {
      if (++steps > MOST_HEALING_STEPS) {
        throw oracle.stuck();
      }
      step();
    }
    oracle.quiet();
    oracle.check();
  }

  private void heal() {
    log("the faults are over");
    chaos = false;
    if (!exists(SimProcess::isAlive)) {
      start();
    }
    processes.stream().filter(SimProcess::isAlive).forEach(SimProcess::resumeAll);
  }

  void start() {
    if (processes.stream().filter(SimProcess::isAlive).count() < MOST_PROCESSES) {
      SimProcess process = new SimProcess(processes.size(), this, definition);
      processes.add(process);
      log(process, " starts");
    }
  }

  /** Returns by which number a process's transactional ids are named. */
  int placeOf(SimProcess process) {
    int place = process.number;
    for (int i = 0; keepsIds && i < MOST_PROCESSES; i++) {
      int candidate = i;
      if (!exists(other -> other.isAlive() && other.place() == candidate)) {
        place = candidate;
        break;
      }
    }
    return place;
  }

  boolean oneIn(int n) {
    return random.nextInt(n) == 0;
  }

  void log(Object... words) {
    if (talks) {
      StringBuilder line = new StringBuilder();
      line.append(clock.nanos() / 1_000_000).append(" ms ");
      for (Object word : words) {
        line.append(word);
      }
      story.add(line.toString());
    }
  }

  // What happens next.

  private void step() {
    int dice = random.nextInt(exactlyOnce ? 1_180 : 1_040);
    if (dice < 300) {
      pick(process -> process.isAlive() && !process.inTurn, SimProcess::turn);
    } else if (dice < 560) {
      pick(process -> process.isAlive() && process.workersCanStep(), SimProcess::stepWorkers);
    } else if (dice < 740) {
      endHandler();
    } else if (dice < 790) {
      answerDeadLetter();
    } else if (dice < 880) {
      advance(LONGEST_STEP.toNanos());
    } else if (dice < 950) {
      pick(
          process -> process.isAlive() && process.client.hasRequests(), p -> p.client.arriveNext());
    } else if (dice < 990) {
      pick(process -> process.isAlive() && process.listenerCanStep(), SimProcess::stepListener);
    } else if (dice >= 1_040) {
      transact(dice - 1_040);
    } else if (chaos) {
      if (!exactlyOnce && restless && oneIn(6)) {
        changeLog();
      } else {
        disturb(dice - 990);
      }
    } else if (!exists(SimProcess::isAlive)) {
      start();
    }
    oracle.check();
  }

  /** While a poll thread waits. */
  void stepWhileWaiting(long untilNanos) {
    long left = untilNanos - clock.nanos();
    if (oneIn(8)) {
      advance(Math.min(left, LONGEST_STEP.toNanos()));
    } else {
      step();
    }
  }

  /** While a call waits for the broker; returns whether anything went on. */
  boolean goOnMeanwhile() {
    boolean went = false;
    while (waitingCalls < 3 && oneIn(3)) {
      waitingCalls++;
      try {
        step();
      } finally {
        waitingCalls--;
      }
      went = true;
    }
    return went;
  }

  private void advance(long mostNanos) {
    clock.advance(1 + (long) (random.nextDouble() * mostNanos));
    broker.coordinator.expire();
  }

  private void transact(int dice) {
    if (dice < 130) {
      pick(process -> process.isAlive() && process.slicesCanStep(), SimProcess::stepSlice);
    } else if (dice < 138) {
      broker.coordinator.arriveLate();
    } else if (chaos) {
      broker.coordinator.expireOne();
    }
  }

  private void disturb(int dice) {
    if (dice < 15) {
      broker.append(8);
    } else if (dice < 25) {
      log("the group rebalances");
      broker.rebalance();
    } else if (dice < 28) {
      pick(process -> process.client.isMember(), this::expire);
    } else if (dice < 31) {
      pick(SimProcess::isAlive, this::kill);
    } else if (dice < 38) {
      start();
    } else if (dice < 40) {
      pick(SimProcess::isAlive, this::close);
    } else if (dice < 42) {
      leap();
    } else if (dice < 44) {
      if (!exactlyOnce) {
        changeLog();
      }
    } else {
      pick(SimProcess::isAlive, this::ask);
    }
  }

  /** Long enough for what is looked at once a second, and never in a turn. */
  private void leap() {
    if (!exists(process -> process.isAlive() && process.inTurn)) {
      log("time leaps");
      advance(1_500_000_000);
    }
  }

  private void changeLog() {
    int dice = random.nextInt(8);
    if (dice < 4) {
      broker.retain();
    } else if (dice < 7) {
      broker.elect();
    } else {
      broker.makeAnew();
    }
  }

  private void expire(SimProcess process) {
    log("the session of ", process, " expires");
    broker.expire(process.client);
  }

  private void kill(SimProcess process) {
    log(process, " is killed");
    process.kill();
  }

  private void close(SimProcess process) {
    log(process, " is closed");
    process.close(Duration.ofMillis(random.nextInt(500)));
  }

  private void ask(SimProcess process) {
    SimLog log = broker.logs.get(random.nextInt(broker.logs.size()));
    TopicPartition partition = log.partition;
    int dice = random.nextInt(10);
    if (dice < 4) {
      log(process, " is told to pause ", partition);
      process.pause(List.of(partition));
    } else if (dice < 7) {
      log(process, " is told to resume");
      process.resumeAll();
    } else {
      long offset = random.nextInt((int) log.end + 1);
      log(process, " is told to seek to ", offset, " in ", partition);
      process.seek(partition, offset);
    }
  }

  private void endHandler() {
    pick(
        process -> process.isAlive() && !process.running.isEmpty(),
        process -> {
          SimHandler.Running run = process.running.get(random.nextInt(process.running.size()));
          if (!chaos || !run.hangs) {
            process.endsOutsideOfWorker(run::end);
          }
        });
  }

  private void answerDeadLetter() {
    pick(
        process -> process.isAlive() && !process.deadLetters.isEmpty(),
        process -> {
          SimProcess.Letter letter =
              process.deadLetters.remove(random.nextInt(process.deadLetters.size()));
          if (chaos && oneIn(4)) {
            letter.acknowledged().completeExceptionally(new TimeoutException("no leader"));
          } else {
            oracle.deadLettered(process, letter);
            letter
                .acknowledged()
                .complete(new RecordMetadata(new TopicPartition("dlq", 0), 0, 0, 0, 0, 0));
          }
        });
  }

  private boolean exists(Predicate<SimProcess> wanted) {
    for (SimProcess process : processes) {
      if (wanted.test(process)) {
        return true;
      }
    }
    return false;
  }

  private void pick(Predicate<SimProcess> wanted, java.util.function.Consumer<SimProcess> action) {
    SimProcess chosen = null;
    int found = 0;
    for (SimProcess process : processes) {
      if (wanted.test(process) && random.nextInt(++found) == 0) {
        chosen = process;
      }
    }
    if (chosen != null) {
      action.accept(chosen);
      if (chosen.isAlive() && !chosen.inTurn && chosen.sends == 0) {
        oracle.flow.balances(chosen);
      }
    }
  }
}
