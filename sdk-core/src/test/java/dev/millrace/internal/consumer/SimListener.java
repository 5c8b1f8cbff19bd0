package dev.millrace.internal.consumer;

import dev.millrace.consumer.ConsumerListener;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;

/** A service's listener, and what it may rely on. */
final class SimListener implements ConsumerListener {
  private final SimProcess process;
  private final SimOracle oracle;

  /** What it has to be told of, in this order. */
  private final Deque<List<SimOwnership>> came = new ArrayDeque<>();

  private final Deque<List<SimOwnership>> left = new ArrayDeque<>();

  private final Set<TopicPartition> told = new HashSet<>();
  private boolean idle;

  SimListener(SimProcess process) {
    this.process = process;
    this.oracle = process.world.oracle;
  }

  /** Partitions come; their records wait until the listener has returned. */
  void comes(List<SimOwnership> ownerships) {
    came.add(ownerships);
    long until = process.world.clock.nanos() + process.definition.drainTimeout().toNanos();
    for (SimOwnership ownership : ownerships) {
      ownership.told = false;
      ownership.toldByNanos = until;
    }
  }

  /** Partitions leave when their records are at rest, and it has returned. */
  void leave(List<SimOwnership> ownerships) {
    left.add(ownerships);
  }

  @Override
  public void assigned(Set<TopicPartition> partitions) {
    process.world.log(process, " tells its listener: assigned ", partitions);
    List<SimOwnership> next = came.poll();
    oracle.require(
        next != null
            && partitions.size() == next.size()
            && next.stream().allMatch(ownership -> partitions.contains(ownership.partition)),
        "Listener: ",
        process,
        " tells of ",
        partitions,
        ", but those that came are others");
    for (TopicPartition partition : partitions) {
      oracle.require(told.add(partition), "Listener: ", process, " tells twice of ", partition);
      oracle.told(process, partition, next);
    }
  }

  @Override
  public void revoked(Set<TopicPartition> partitions) {
    process.world.log(process, " tells its listener: revoked ", partitions);
    gone(partitions);
    List<SimOwnership> next = left.poll();
    if (next != null) { // Else it is the end.
      next.forEach(this::isAtRestAndNotSaved);
    }
  }

  /** As long as the engine waits for it: a stop cuts that short. */
  private void isAtRestAndNotSaved(SimOwnership ownership) {
    oracle.require(
        process.world.clock.nanos() >= ownership.drainedByNanos
            || process.stops()
            || ownership.isRewound
            || (!ownership.savedForLeave && !process.worksOn(ownership)),
        "Listener: ",
        process,
        " tells that ",
        ownership.partition,
        " leaves when it is saved already, or not at rest");
  }

  @Override
  public void lost(Set<TopicPartition> partitions) {
    process.world.log(process, " tells its listener: lost ", partitions);
    gone(partitions);
  }

  private void gone(Set<TopicPartition> partitions) {
    oracle.require(
        told.containsAll(partitions),
        "Listener: ",
        process,
        " takes away ",
        partitions,
        ", but the listener has ",
        told);
    told.removeAll(partitions);
  }

  @Override
  public void idle(Duration lasting) {
    oracle.require(
        !idle && lasting.compareTo(process.definition.idleAfter()) >= 0,
        "Listener: ",
        process,
        " is idle again, or has been for only ",
        lasting);
    idle = true;
  }

  @Override
  public void active() {
    oracle.require(idle, "Listener: ", process, " is active, but was not idle");
    idle = false;
  }

  /** All has been told, of a process that owns these. */
  void toldAll(Set<TopicPartition> owned) {
    oracle.require(
        told.equals(owned),
        "Listener: ",
        process,
        " has ",
        owned,
        ", but the listener was told of ",
        told);
  }
}
