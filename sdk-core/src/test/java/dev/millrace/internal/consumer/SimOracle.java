package dev.millrace.internal.consumer;

import dev.millrace.config.Ordering;
import dev.millrace.internal.offset.CompletedAhead;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** Knows what has really happened, and that it was allowed. */
final class SimOracle {

  /** What must hold was broken. */
  static final class Violation extends AssertionError {
    private static final long serialVersionUID = 1;

    Violation(String what) {
      super(what);
    }
  }

  /** A process's time of owning a partition, or until it is told to go on elsewhere. */
  static final class Ownership {
    /** What had ended before and is known to the brokers: not to be handled again. */
    BitSet endedBefore = new BitSet();

    final BitSet ended = new BitSet();
    final Map<String, Long> lastBegun = new HashMap<>();
    BitSet endedWhenRevoked = new BitSet();
    boolean mayGoBack;
    boolean mayForget;

    void rememberEnded() {
      endedWhenRevoked = (BitSet) ended.clone();
    }
  }

  private final SimWorld world;
  private @Nullable Violation first;

  /** By partition: handled, or its dead letter acknowledged, at least once. */
  private final List<BitSet> ended = new ArrayList<>();

  /** By partition: passed over, as a user wished. */
  private final List<BitSet> excused = new ArrayList<>();

  private final Map<SimProcess, Map<TopicPartition, Ownership>> ownerships = new HashMap<>();

  SimOracle(SimWorld world, int partitions) {
    this.world = world;
    for (int i = 0; i < partitions; i++) {
      ended.add(new BitSet());
      excused.add(new BitSet());
    }
  }

  @Nullable Violation first() {
    return first;
  }

  void check() {
    if (first != null) {
      throw first;
    }
  }

  // Ownership.

  void assigned(SimProcess process, TopicPartition partition) {
    Ownership ownership = begin(process, partition);
    OffsetAndMetadata committed = world.broker.committed.get(partition);
    if (committed != null) {
      ownership.endedBefore = covered(partition, committed);
    }
  }

  /** What is saved can't be believed in, if it can't be read. */
  void couldNotReadBack(SimProcess process, TopicPartition partition) {
    Ownership ownership = ownership(process, partition);
    ownership.endedBefore = new BitSet();
    ownership.mayForget = true;
  }

  void sought(SimProcess process, TopicPartition partition, long offset) {
    Ownership ownership = begin(process, partition);
    ownership.mayGoBack = true;
    ownership.mayForget = true;
    BitSet passedOver = excused.get(partition.partition());
    world.broker.log(partition).keys.headMap(offset).keySet().stream()
        .map(Math::toIntExact)
        .forEach(passedOver::set);
  }

  void revoking(SimProcess process, TopicPartition partition) {
    if (!process.ending) {
      ownership(process, partition).rememberEnded();
    }
  }

  /** What ends after this may end too late: the engine takes back what runs at its deadline. */
  void ending(SimProcess process) {
    ownerships.getOrDefault(process, Map.of()).values().forEach(Ownership::rememberEnded);
  }

  /** D1: what had ended before a partition was given up in peace is never handled again. */
  void revoked(SimProcess process, TopicPartition partition) {
    BitSet unsaved = ownership(process, partition).endedWhenRevoked;
    OffsetAndMetadata committed = world.broker.committed.get(partition);
    if (committed != null) {
      unsaved.andNot(covered(partition, committed));
    }
    require(
        unsaved.isEmpty(),
        "D1: ",
        process,
        " gave up ",
        partition,
        ", and what it had ended there is not committed: ",
        unsaved);
  }

  void gone(SimProcess process, TopicPartition partition) {
    ownerships.getOrDefault(process, new HashMap<>()).remove(partition);
  }

  private Ownership begin(SimProcess process, TopicPartition partition) {
    Ownership ownership = new Ownership();
    ownerships.computeIfAbsent(process, p -> new HashMap<>()).put(partition, ownership);
    return ownership;
  }

  Ownership ownership(SimProcess process, TopicPartition partition) {
    return ownerships.get(process).get(partition);
  }

  // Handlers.

  Ownership handlerBegins(SimProcess process, SimHandler.Running run, int attempt) {
    world.log(process, " begins ", run.partition, "@", run.offset, " key '", run.key, "'");
    Ownership ownership = ownerships.getOrDefault(process, Map.of()).get(run.partition);
    if (ownership == null) {
      throw violation(
          process, " begins ", run.partition, "@", run.offset, ", which it has given up");
    }
    int offset = Math.toIntExact(run.offset);
    require(
        !ownership.endedBefore.get(offset) && !ownership.ended.get(offset),
        "D1: ",
        process,
        " handles ",
        run.partition,
        "@",
        run.offset,
        " again");
    String order = order(process, run);
    if (order != null) {
      for (SimHandler.Running other : process.running) {
        require(
            !other.partition.equals(run.partition) || !order.equals(order(process, other)),
            "O1: ",
            process,
            " begins ",
            run.partition,
            "@",
            run.offset,
            " while @",
            other.offset,
            " of the same order runs");
      }
      long last = ownership.lastBegun.getOrDefault(order, -1L);
      require(
          attempt > 1 ? run.offset >= last : run.offset > last,
          "O1: ",
          process,
          " begins ",
          run.partition,
          "@",
          run.offset,
          " after @",
          last);
      ownership.lastBegun.put(order, run.offset);
    }
    return ownership;
  }

  private static @Nullable String order(SimProcess process, SimHandler.Running run) {
    Ordering ordering = process.definition.ordering();
    if (ordering == Ordering.PARTITION) {
      return "";
    }
    return ordering == Ordering.UNORDERED || run.key.isEmpty() ? null : run.key;
  }

  void handlerDone(SimProcess process, SimHandler.Running run) {
    world.log(process, " ends ", run.partition, "@", run.offset);
    end(run.ownership, run.partition, run.offset);
  }

  void handlerFailed(SimProcess process, SimHandler.Running run) {
    world.log(process, " fails at ", run.partition, "@", run.offset);
  }

  void deadLettered(SimProcess process, SimProcess.Letter letter) {
    world.log(process, " has dead-lettered ", letter.partition(), "@", letter.offset());
    end(letter.ownership(), letter.partition(), letter.offset());
  }

  /** A late end counts for the ownership in which it began. */
  private void end(Ownership ownership, TopicPartition partition, long offset) {
    ended.get(partition.partition()).set(Math.toIntExact(offset));
    ownership.ended.set(Math.toIntExact(offset));
  }

  // Commits.

  /** C1, C2: when a commit is made, all that it says has ended. */
  void commits(SimProcess process, Map<TopicPartition, OffsetAndMetadata> offsets) {
    world.log(process, " commits ", offsets);
    offsets.forEach(
        (partition, offset) -> {
          BitSet said = covered(partition, offset);
          said.andNot(ended.get(partition.partition()));
          said.andNot(excused.get(partition.partition()));
          require(
              said.isEmpty(),
              "C1: ",
              process,
              " commits ",
              offset,
              " of ",
              partition,
              ", but these have not ended: ",
              said);
          require(
              offset.offset() <= world.broker.log(partition).end,
              "C2: ",
              process,
              " commits ",
              offset,
              ", beyond the end of ",
              partition);
        });
  }

  /** C2: when a commit is applied, it is an owner's, does not go back, and forgets nothing. */
  void committed(SimProcess process, Map<TopicPartition, OffsetAndMetadata> offsets) {
    world.log("the broker takes from ", process, " ", offsets);
    offsets.forEach(
        (partition, offset) -> {
          require(
              world.broker.owner(partition) == process.client,
              "C2: ",
              process,
              " commits ",
              partition,
              ", which is not its own");
          OffsetAndMetadata before = world.broker.committed.get(partition);
          Ownership ownership = ownerships.getOrDefault(process, Map.of()).get(partition);
          if (before != null
              && ownership != null
              && !ownership.mayForget
              && world.broker.takesAllMetadata()) {
            BitSet forgotten = covered(partition, before);
            forgotten.andNot(covered(partition, offset));
            require(
                forgotten.isEmpty(),
                "C2: ",
                process,
                " commits ",
                offset,
                " in ",
                partition,
                ", which forgets what ",
                before,
                " said: ",
                forgotten);
          }
          require(
              before == null
                  || before.offset() <= offset.offset()
                  || (ownership != null && ownership.mayGoBack),
              "C2: ",
              process,
              " commits ",
              offset,
              " in ",
              partition,
              ", back from ",
              before);
        });
  }

  /** Returns which records a commit says have ended. */
  private BitSet covered(TopicPartition partition, OffsetAndMetadata committed) {
    BitSet covered = new BitSet();
    CompletedAhead ahead =
        CompletedAhead.read(partition, committed)
            .orElseThrow(() -> violation("C2: ", committed, " was saved for another offset"));
    for (long offset : world.broker.log(partition).keys.keySet()) {
      if (offset < committed.offset() || ahead.done().contains(offset)) {
        covered.set(Math.toIntExact(offset));
      }
    }
    return covered;
  }

  // Flow.

  /** P1: what the user has paused stays so. */
  void fetched(SimProcess process, TopicPartition partition) {
    require(
        !process.isPausedByUser(partition),
        "P1: ",
        process,
        " reads ",
        partition,
        ", which its user has paused");
  }

  /** B1, B2. */
  void turned(SimProcess process, long nanos) {
    require(
        process.inFlight() <= process.definition.channelCapacity(),
        "B1: ",
        process,
        " holds ",
        process.inFlight(),
        " records");
    Duration most = process.definition.drainTimeout().plus(SimWorld.LONGEST_STEP.multipliedBy(8));
    require(
        nanos <= most.toNanos(),
        "B2: ",
        process,
        " took ",
        Duration.ofNanos(nanos).toMillis(),
        " ms for a turn");
  }

  void wasWoken(SimProcess process, boolean inVain) {
    require(inVain, "V1: ", process, " has what it waited for, but nobody woke it");
  }

  /** An engine ends by itself only for a record that it can't get rid of. */
  void failed(SimProcess process, Throwable failure) {
    world.log(process, " has stopped: ", failure.getMessage());
    require(
        process.definition.deadLetter() == null
            && String.valueOf(failure.getMessage()).contains("whose attempts are used up"),
        process,
        " stopped: ",
        failure);
  }

  /** V1, L2: all has ended, is committed, and nothing is held any more. */
  boolean isQuiet() {
    for (SimBroker.Log log : world.broker.logs) {
      OffsetAndMetadata committed = world.broker.committed.get(log.partition);
      if (log.end > 0 && (committed == null || committed.offset() < log.end)) {
        return false;
      }
    }
    return world.processes.stream()
        .filter(SimProcess::isAlive)
        .allMatch(
            process ->
                process.inFlight() == 0 && process.running.isEmpty() && !process.workersCanStep());
  }

  void quiet() {
    for (SimBroker.Log log : world.broker.logs) {
      for (long offset : log.keys.keySet()) {
        int at = Math.toIntExact(offset);
        require(
            ended.get(log.partition.partition()).get(at)
                || excused.get(log.partition.partition()).get(at),
            "L2: ",
            log.partition,
            "@",
            offset,
            " was never handled");
      }
    }
    for (SimProcess process : world.processes) {
      if (process.isAlive()) {
        require(
            process.inFlightBytes() == 0,
            "B1: ",
            process,
            " holds ",
            process.inFlightBytes(),
            " bytes");
        require(
            process.usedPermits() == 0,
            "V1: ",
            process,
            " lacks ",
            process.usedPermits(),
            " permits");
      }
    }
  }

  Violation stuck() {
    StringBuilder text = new StringBuilder("V1: not everything ends:");
    for (SimBroker.Log log : world.broker.logs) {
      text.append(
          "%n  %s ends at %d, committed %s, owner %s"
              .formatted(
                  log.partition,
                  log.end,
                  world.broker.committed.get(log.partition),
                  world.broker.owner(log.partition) != null));
    }
    for (SimProcess process : world.processes) {
      text.append(
          "%n  %s alive %s, in flight %d, running %d"
              .formatted(process, process.isAlive(), process.inFlight(), process.running.size()));
    }
    return new Violation(text.toString());
  }

  private void require(boolean holds, Object... otherwise) {
    if (!holds) {
      throw violation(otherwise);
    }
  }

  /** The first one is kept: the engine may take what its surroundings throw for a failure. */
  private Violation violation(Object... words) {
    Violation violation =
        new Violation(Stream.of(words).map(String::valueOf).collect(Collectors.joining()));
    if (first == null) {
      first = violation;
    }
    return violation;
  }
}
