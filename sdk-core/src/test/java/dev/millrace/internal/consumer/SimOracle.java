package dev.millrace.internal.consumer;

import dev.millrace.config.MissingOffset;
import dev.millrace.config.Ordering;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
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

  final SimCommits commits;
  final SimMoves moves;
  final SimOutputs outputs;
  final SimFlow flow;
  private final SimWorld world;
  private @Nullable Violation first;

  /** By partition, of the records that the log has: handled, or its dead letter acknowledged. */
  private final List<BitSet> ended = new ArrayList<>();

  /** By partition: passed over, as a user or {@code on-missing-offset} wished. */
  private final List<BitSet> excused = new ArrayList<>();

  private final Map<SimProcess, Map<TopicPartition, SimOwnership>> ownerships = new HashMap<>();

  /**
   * What has failed in a process, which goes on counting its attempts when the partition is back.
   */
  private final Map<SimProcess, Set<String>> failed = new HashMap<>();

  SimOracle(SimWorld world, int partitions) {
    this.world = world;
    this.commits = new SimCommits(world, this);
    this.moves = new SimMoves(world, this);
    this.outputs = new SimOutputs(world, this, partitions);
    this.flow = new SimFlow(world, this);
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

  SimOwnership assigned(SimProcess process, TopicPartition partition) {
    SimBroker.Commit committed = world.broker.committed.get(partition);
    SimOwnership ownership =
        new SimOwnership(
            partition, committed == null ? world.broker.log(partition).life : committed.life());
    begins(ownership, committed);
    owned(process).put(partition, ownership);
    return ownership;
  }

  void begins(SimOwnership ownership, SimBroker.@Nullable Commit committed) {
    TopicPartition partition = ownership.partition;
    ownership.base = committed;
    ownership.endedBefore = commits.covered(partition, committed);
    if (committed != null) {
      ownership.committedBefore = committed.said().offset();
      ownership.believesTooMuch = committed.believesTooMuch();
      ownership.aheadBefore = commits.ahead(partition, committed.said());
    }
  }

  /** What is saved can't be believed in, if it can't be read. */
  void couldNotReadBack(SimProcess process, TopicPartition partition) {
    if (world.exactlyOnce) {
      return; // It has to find out.
    }
    owner(process, partition).believesNothing();
  }

  void revoking(SimProcess process, List<TopicPartition> partitions) {
    if (!process.ending) {
      long now = world.clock.nanos();
      long until = now + process.definition.drainTimeout().toNanos();
      List<SimOwnership> leaving = partitions.stream().map(name -> owner(process, name)).toList();
      leaving.forEach(ownership -> ownership.leaves(now, until));
      process.listener.leave(leaving);
    }
  }

  void ending(SimProcess process, long handlersUntilNanos) {
    long now = world.clock.nanos();
    owned(process).values().forEach(ownership -> ownership.leaves(now, handlersUntilNanos));
  }

  /** D1: what had ended before a partition was given up in peace is never handled again. */
  void revoked(SimProcess process, TopicPartition partition) {
    BitSet unsaved = owner(process, partition).endedInTime;
    unsaved.andNot(commits.covered(partition, world.broker.committed.get(partition)));
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
    owned(process).remove(partition);
  }

  Map<TopicPartition, SimOwnership> owned(SimProcess process) {
    return ownerships.computeIfAbsent(process, p -> new LinkedHashMap<>());
  }

  @Nullable SimOwnership ownership(SimProcess process, TopicPartition partition) {
    return owned(process).get(partition);
  }

  SimOwnership owner(SimProcess process, TopicPartition partition) {
    SimOwnership ownership = owned(process).get(partition);
    if (ownership == null) {
      throw violation(process, " works on ", partition, ", which it has given up");
    }
    return ownership;
  }

  // Where partitions go on.

  /** The log does not have these any more. */
  void removed(TopicPartition partition, long fromOffset, long toOffset) {
    int from = Math.toIntExact(fromOffset);
    int to = Math.toIntExact(toOffset);
    ended.get(partition.partition()).clear(from, to);
    excused.get(partition.partition()).clear(from, to);
    for (Map<TopicPartition, SimOwnership> owned : ownerships.values()) {
      SimOwnership ownership = owned.get(partition);
      if (ownership != null) {
        ownership.removed(from, to);
      }
    }
  }

  /** The record is passed over, as it was wished. */
  void excuse(TopicPartition partition, long offset) {
    excused.get(partition.partition()).set(Math.toIntExact(offset));
  }

  /** The partition is read from elsewhere from now on. */
  SimOwnership replace(SimProcess process, SimOwnership old) {
    SimOwnership next = old.elsewhere(world.broker.log(old.partition).life);
    owned(process).put(old.partition, next);
    return next;
  }

  // Handlers.

  /**
   * D1, O1: records that begin together, all of one order; none that another group has redriven.
   */
  void handlerBegins(SimProcess process, List<SimHandler.Running> together) {
    for (SimHandler.Running run : together) {
      world.log(process, " begins ", run.partition, "@", run.offset, " key '", run.key, "'");
      SimOwnership ownership = run.ownership;
      int offset = Math.toIntExact(run.offset);
      require(
          ownership.isOpen(offset),
          "D1: ",
          process,
          " handles ",
          run.partition,
          "@",
          run.offset,
          " again, or though it is for another group");
      require(
          ownership.told || world.clock.nanos() >= ownership.toldByNanos,
          "Listener: ",
          process,
          " begins ",
          run.partition,
          "@",
          run.offset,
          " before its listener knows");
      require(
          !ownership.savedForLeave, "D1: ", process, " begins ", run.partition, ", which leaves");
    }
    SimHandler.Running one = together.get(0);
    String order = order(process, one);
    if (order != null) {
      for (SimHandler.Running other : process.running) {
        require(
            !other.partition.equals(one.partition) || !order.equals(order(process, other)),
            "O1: ",
            process,
            " begins ",
            one.partition,
            "@",
            one.offset,
            " while @",
            other.offset,
            " of the same order runs");
      }
      String wrong =
          one.ownership.begin(order, together, run -> failed(process).contains(record(run)));
      require(
          wrong == null, "O1: ", process, " begins ", one.partition, "@", one.offset, " ", wrong);
    }
  }

  /** O1: what shares an order is there in its order; what has none is for itself. */
  void batchBegins(SimProcess process, List<SimHandler.Running> batch) {
    Map<String, List<SimHandler.Running>> byOrder = new LinkedHashMap<>();
    for (SimHandler.Running run : batch) {
      String order = order(process, run);
      if (order == null) {
        handlerBegins(process, List.of(run));
      } else {
        byOrder.computeIfAbsent(run.partition + order, o -> new ArrayList<>()).add(run);
      }
    }
    byOrder.values().forEach(together -> handlerBegins(process, together));
    require(
        batch.size() <= process.definition.batch().maxRecords(),
        process,
        " has a batch of ",
        batch.size());
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
    run.isDone = !run.givenUp;
    if (run.isDone && !world.exactlyOnce) {
      takesEffect(process, run, false);
    }
  }

  /**
   * A handler's end counts.
   *
   * @param maybe whether the engine may count it or not
   */
  void takesEffect(SimProcess process, SimHandler.Running run, boolean maybe) {
    process.books.handled(isCurrent(process, run.ownership), maybe);
    end(run.ownership, run.offset, run.life);
  }

  void handlerFailed(SimProcess process, SimHandler.Running run) {
    world.log(process, " fails at ", run.partition, "@", run.offset);
    failed(process).add(record(run));
  }

  private Set<String> failed(SimProcess process) {
    return failed.computeIfAbsent(process, first -> new HashSet<>());
  }

  private static String record(SimHandler.Running run) {
    return run.partition + "@" + run.offset + " of life " + run.life;
  }

  void deadLettered(SimProcess process, SimProcess.Letter letter) {
    world.log(process, " has dead-lettered ", letter.partition(), "@", letter.offset());
    process.books.deadLettered(isCurrent(process, letter.ownership()));
    end(letter.ownership(), letter.offset(), letter.life());
  }

  private boolean isCurrent(SimProcess process, SimOwnership ownership) {
    return owned(process).get(ownership.partition) == ownership;
  }

  /** A late end counts for the ownership in which it began, and for the log only if that has it. */
  private void end(SimOwnership ownership, long offset, int life) {
    ownership.ended(offset);
    SimLog.Entry entry = world.broker.log(ownership.partition).entries.get(offset);
    if (entry != null && entry.life() == life) {
      ownership.endedInLog(offset, world.clock.nanos());
    }
    if (!world.exactlyOnce) {
      ended(ownership.partition, offset, life);
    }
  }

  /** For good. */
  void ended(TopicPartition partition, long offset, int life) {
    SimLog.Entry entry = world.broker.log(partition).entries.get(offset);
    if (entry != null && entry.life() == life) {
      ended.get(partition.partition()).set(Math.toIntExact(offset));
    }
  }

  void removeExcused(BitSet offsets, TopicPartition partition) {
    offsets.andNot(excused.get(partition.partition()));
  }

  /** Takes out what has ended, or is passed over. */
  void removeEnded(BitSet offsets, SimOwnership ownership) {
    removeEnded(offsets, ownership.partition);
    if (ownership.believesTooMuch) {
      offsets.stream().filter(ownership.aheadBefore.done()::contains).forEach(offsets::clear);
    }
  }

  private void removeEnded(BitSet offsets, TopicPartition partition) {
    offsets.andNot(ended.get(partition.partition()));
    removeExcused(offsets, partition);
  }

  // The listener.

  void told(SimProcess process, TopicPartition partition, List<SimOwnership> came) {
    came.forEach(ownership -> ownership.told = true);
    SimOwnership now = ownership(process, partition);
    if (now != null && now.toldByNanos == came.get(0).toldByNanos) {
      now.told = true; // It reads elsewhere since.
    }
  }

  // Ends.

  /** An engine ends by itself only for a record that it can't get rid of, or if it is told to. */
  void failed(SimProcess process, Throwable failure) {
    String text = String.valueOf(failure.getMessage());
    world.log(process, " has stopped: ", text);
    boolean mayFail =
        world.definition.onMissingOffset().start() == MissingOffset.Start.FAIL
            && owned(process).values().stream().anyMatch(owned -> owned.missing != null);
    require(
        (process.definition.deadLetter() == null && text.contains("which has no attempt left"))
            || (mayFail && text.contains("on-missing-offset is fail")),
        process,
        " stopped: ",
        failure);
  }

  /** V1, L2: all has ended, is committed, and nothing is held any more. */
  boolean isQuiet() {
    for (SimLog log : world.broker.logs) {
      if (!isCommitted(log)) {
        return false;
      }
    }
    return world.broker.coordinator.anyOpen() == null
        && world.processes.stream()
            .filter(SimProcess::isAlive)
            .allMatch(
                process ->
                    process.slicesAreIdle()
                        && process.inFlight() == 0
                        && process.running.isEmpty()
                        && !process.workersCanStep());
  }

  private boolean isCommitted(SimLog log) {
    SimBroker.Commit committed = world.broker.committed.get(log.partition);
    if (world.exactlyOnce) {
      return unfinished(log).isEmpty();
    }
    if (committed == null && log.made > 0) {
      // Its commits went with the old topic; an owner that can't tell has nothing new to commit.
      return unfinished(log).isEmpty();
    }
    return log.end == 0
        || (committed != null
            && committed.said().offset() == log.end
            && (committed.life() == log.life || unfinished(log).isEmpty()));
  }

  private BitSet unfinished(SimLog log) {
    BitSet unfinished = new BitSet();
    log.entries.keySet().forEach(offset -> unfinished.set(Math.toIntExact(offset)));
    removeEnded(unfinished, log.partition);
    return unfinished;
  }

  void quiet() {
    for (SimLog log : world.broker.logs) {
      BitSet unfinished = unfinished(log);
      require(unfinished.isEmpty(), "L2: ", log.partition, "@", unfinished, " were never handled");
    }
    for (SimProcess process : world.processes) {
      if (process.isAlive()) {
        process.quiet();
      }
    }
  }

  Violation stuck() {
    StringBuilder text = new StringBuilder("V1: not everything ends:");
    for (SimLog log : world.broker.logs) {
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

  void require(boolean holds, Object... otherwise) {
    if (!holds) {
      throw violation(otherwise);
    }
  }

  /** The first one is kept: the engine may take what its surroundings throw for a failure. */
  Violation violation(Object... words) {
    Violation violation =
        new Violation(Stream.of(words).map(String::valueOf).collect(Collectors.joining()));
    if (first == null) {
      first = violation;
    }
    return violation;
  }
}
