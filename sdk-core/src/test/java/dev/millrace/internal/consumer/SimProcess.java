package dev.millrace.internal.consumer;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.config.MissingOffset;
import dev.millrace.internal.channel.DeliveryProcessor;
import dev.millrace.internal.channel.InFlight;
import dev.millrace.internal.channel.LaneScheduler;
import dev.millrace.internal.channel.PollThreadSignal;
import dev.millrace.internal.channel.SteppedSignal;
import dev.millrace.internal.channel.SteppedWorkers;
import dev.millrace.internal.channel.Workers;
import dev.millrace.internal.delivery.DeadLetters;
import dev.millrace.internal.time.DelayTimer;
import dev.millrace.internal.time.EngineClock;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.jspecify.annotations.Nullable;

/** A process of the service: a real engine, on the world's thread and in the world's time. */
final class SimProcess implements EngineRuntime, SteppedSignal.Surroundings {
  final int number;
  final SimConsumer client;
  final SimWorld world;
  final ConsumerDefinition definition;

  /** A dead letter on its way. */
  record Letter(
      TopicPartition partition,
      long offset,
      int life,
      SimOwnership ownership,
      CompletableFuture<RecordMetadata> acknowledged) {}

  /** What a user asks for: other pauses, or a seek in a partition. */
  private record Asked(UnaryOperator<UserPauses> pauses, @Nullable TopicPartition seeksIn) {}

  /** Handlers that have begun and not ended, and dead letters on their way. */
  final List<SimHandler.Running> running = new ArrayList<>();

  final List<Letter> deadLetters = new ArrayList<>();

  /** What the user has asked for, in the order in which the engine comes to it: one a turn. */
  private final Deque<Asked> asked = new ArrayDeque<>();

  /** What the turn's command has the partition's position be, if it is a seek. */
  private @Nullable TopicPartition seeksIn;

  final SimBooks books;
  final SimListener listener;
  private final SimListenerThread listenerThread;
  private final SimWatchdog watchdog;
  private final StopRequest stop;
  private final ConsumerEngine engine;
  private UserPauses pauses = UserPauses.NONE;
  private SteppedWorkers workers;
  private InFlight inFlight;
  private final DelayTimer timer;
  boolean inTurn;
  boolean ending;
  boolean crashed;
  boolean ended;

  SimProcess(int number, SimWorld world, ConsumerDefinition definition) {
    this.number = number;
    this.world = world;
    this.definition = definition;
    this.client = new SimConsumer(this, world.broker);
    this.timer = world.clock.timer();
    this.stop = new StopRequest(world.clock);
    this.books = new SimBooks(this);
    this.listener = new SimListener(this);
    this.listenerThread = new SimListenerThread(world.bug);
    this.watchdog = new SimWatchdog(this);
    this.engine =
        new ConsumerEngine(
            world.told,
            SimWorld.MAX_POLL,
            client,
            new StringDeserializer(),
            new SimHandler(this).handling(),
            definition.deadLetter() == null
                ? null
                : new DeadLetters(
                    definition.groupId(), definition.deadLetter(), this::sendDeadLetter),
            books.meters(),
            stop,
            this,
            world.listens ? ServiceHooks.NONE.listener(listener) : ServiceHooks.NONE,
            null,
            null);
  }

  private CompletableFuture<RecordMetadata> sendDeadLetter(
      ProducerRecord<byte[], byte[]> deadLetter) {
    TopicPartition partition =
        new TopicPartition(
            SimBroker.TOPIC, Integer.parseInt(header(deadLetter, "millrace-origin-partition")));
    Letter letter =
        new Letter(
            partition,
            Long.parseLong(header(deadLetter, "millrace-origin-offset")),
            SimHandler.life(new String(deadLetter.value(), StandardCharsets.UTF_8)),
            world.oracle.owner(this, partition),
            new CompletableFuture<>());
    deadLetters.add(letter);
    return letter.acknowledged();
  }

  private static String header(ProducerRecord<byte[], byte[]> record, String name) {
    return new String(record.headers().lastHeader(name).value(), StandardCharsets.UTF_8);
  }

  boolean isAlive() {
    return !crashed && !ended;
  }

  /** One turn of the poll loop; the last one ends the engine. */
  void turn() {
    if (!stop.isRequested()) {
      if (!asked.isEmpty()) {
        Asked next = asked.remove();
        pauses = next.pauses().apply(pauses);
        seeksIn = next.seeksIn();
      }
      watchdog.look();
    }
    inTurn = true;
    long began = world.clock.nanos();
    long othersBefore = world.nanosOfOthers;
    try {
      if (engine.turn()) {
        long others = world.nanosOfOthers - othersBefore;
        world.oracle.turned(this, world.clock.nanos() - began - others);
        world.oracle.require(
            engine.isHealthy() == watchdog.isContent(),
            "Watchdog: ",
            this,
            " says of its health ",
            engine.isHealthy());
      } else if (!crashed) {
        stop.failure().ifPresent(failure -> world.oracle.failed(this, failure));
        world.oracle.ending(this, stop.handlersUntilNanos());
        client.ending();
        ending = true;
        engine.end();
        ended = true;
        client.leave();
        if (definition.onMissingOffset().start() == MissingOffset.Start.FAIL) {
          world.broker.repairOffsets();
        }
        if (world.listens) {
          listener.toldAll(Set.of());
        }
        books.balance();
      }
    } catch (SimCrash killed) {
      // Nothing of it goes on.
    } finally {
      inTurn = false;
      // If another process waits meanwhile, all of this was not its own time.
      world.nanosOfOthers = othersBefore + world.clock.nanos() - began;
    }
  }

  boolean listenerCanStep() {
    return !listenerThread.isIdle();
  }

  void stepListener() {
    listenerThread.step();
  }

  void came(List<SimOwnership> ownerships) {
    if (world.listens) {
      listener.comes(ownerships);
    }
  }

  /** The engine has the client go on elsewhere. */
  void seeks(TopicPartition partition, long offset) {
    if (partition.equals(seeksIn)) {
      world.oracle.moves.sought(this, partition, offset);
    } else {
      world.oracle.moves.goesOn(this, partition, offset);
    }
  }

  void delivered(TopicPartition partition, long offset, int epoch) {
    if (!world.oracle.moves.delivers(this, partition, offset, epoch)) {
      books.doneBefore();
    }
  }

  void savedForLeave(Set<TopicPartition> partitions) {
    partitions.forEach(partition -> world.oracle.owner(this, partition).savedForLeave = true);
  }

  boolean stops() {
    return stop.isRequested();
  }

  boolean worksOn(SimOwnership ownership) {
    return running.stream().anyMatch(run -> run.ownership == ownership)
        || deadLetters.stream().anyMatch(letter -> letter.ownership() == ownership);
  }

  /** Returns how many records are at work whose ownership has ended. */
  int workLeftBehind(Collection<SimOwnership> owned) {
    int left = 0;
    for (SimHandler.Running run : running) {
      left += owned.contains(run.ownership) ? 0 : 1;
    }
    for (Letter letter : deadLetters) {
      left += owned.contains(letter.ownership()) ? 0 : 1;
    }
    return left;
  }

  /** All has ended, and nothing is held any more. */
  void quiet() {
    world.oracle.require(
        inFlight.bytes() == 0, "B1: ", this, " holds ", inFlight.bytes(), " bytes");
    world.oracle.require(workers.busy() == 0, "V1: ", this, " lacks ", workers.busy(), " permits");
    if (world.listens && listenerThread.isIdle()) {
      listener.toldAll(client.owned());
    }
    books.balance();
  }

  boolean workersCanStep() {
    return workers.canStep();
  }

  void stepWorkers() {
    workers.step(world.random::nextInt);
  }

  int inFlight() {
    return inFlight.records();
  }

  boolean isPausedByUser(TopicPartition partition) {
    return pauses.contains(partition);
  }

  // What a user does.

  void close(Duration timeout) {
    stop.request(null, timeout);
  }

  void pause(List<TopicPartition> partitions) {
    Instant now = world.clock.now();
    asked.add(new Asked(before -> before.with(partitions, now), null));
    var unused = engine.controls().pause(partitions);
  }

  void resumeAll() {
    asked.add(new Asked(before -> UserPauses.NONE, null));
    var unused = engine.controls().resume();
  }

  void seek(TopicPartition partition, long offset) {
    asked.add(new Asked(before -> before, partition));
    var unused = engine.controls().seek(partition, offset);
  }

  /** SIGKILL. */
  void kill() {
    crashed = true;
    timer.close();
    running.clear();
    deadLetters.clear();
    client.died();
  }

  // What the engine is given.

  @Override
  public EngineClock clock() {
    return world.clock;
  }

  @Override
  public PollThreadSignal signal() {
    return new SteppedSignal(this);
  }

  /** The others go on while the poll thread waits. */
  @Override
  public boolean step(long deadlineNanos) {
    world.stepWhileWaiting(deadlineNanos);
    if (crashed) {
      throw new SimCrash();
    }
    return true;
  }

  @Override
  public long nanos() {
    return world.clock.nanos();
  }

  @Override
  public void timedOut(boolean holds) {
    world.oracle.wasWoken(this, !holds);
  }

  /** The poll of a turn does not wait; that of an end has nothing beside it that could. */
  void pollWaits(Duration time) {
    seeksIn = null; // The command has been run.
    long until = world.clock.nanos() + time.toNanos();
    while (ending && world.clock.nanos() < until) {
      world.stepWhileWaiting(until);
      if (crashed) {
        throw new SimCrash();
      }
    }
  }

  @Override
  public DelayTimer timer() {
    return new DelayTimer() {
      @Override
      public void after(long delayNanos, Runnable task) {
        timer.after(delayNanos, () -> world.bug.timer(task));
      }

      @Override
      public void close() {
        timer.close();
      }
    };
  }

  @Override
  public ExecutorService transactionCalls(int slice) {
    throw new IllegalStateException("no transactions");
  }

  @Override
  public ExecutorService listenerCalls() {
    return listenerThread;
  }

  @Override
  public Workers workers(
      LaneScheduler scheduler, DeliveryProcessor processor, Consumer<Throwable> onBug) {
    inFlight = scheduler.inFlight();
    workers = new SteppedWorkers(Math.min(2, definition.concurrency()), scheduler, processor);
    return workers;
  }

  @Override
  public String toString() {
    return "process " + number;
  }
}
