package dev.millrace.internal.consumer;

import dev.millrace.consumer.ConsumerExplanation.PauseCause;
import dev.millrace.internal.channel.InFlight;
import dev.millrace.internal.channel.PartitionLoad;
import java.util.Collection;

/**
 * Keeps one partition from taking the room that the others need. Confined to the poll thread.
 *
 * <p>Invariant: while a partition has records and workers are free, it goes on, whatever one other
 * partition does. The other is polled only while the channel is not tight or it has no more than
 * its share ({@link FlowControl}); so a partition that has nothing in flight always finds room for
 * a poll. What rests takes no room from others, but for its bytes. A hold ends with its cause, and
 * not before there is room for more than one record.
 */
final class FairShare {
  private final FlowControl flow;
  private final InFlight inFlight;
  private final IntakeGate gate;
  private long heldRecords;
  private long heldBytes;
  private boolean holding;

  FairShare(FlowControl flow, InFlight inFlight, IntakeGate gate) {
    this.flow = flow;
    this.inFlight = inFlight;
    this.gate = gate;
  }

  /** Releases those that no longer take room from others, and counts what the rest of them has. */
  void release(Collection<AssignedPartition> partitions) {
    boolean easy = flow.isEasyAgain(inFlight.inChannel(), inFlight.bytes(), 0, 0);
    heldRecords = 0;
    heldBytes = 0;
    holding = false;
    for (AssignedPartition partition : partitions) {
      if (isHeld(partition)) {
        PartitionLoad load = partition.load();
        if (easy || flow.isWellBelowShare(load.inChannel(), load.bytes(), partitions.size())) {
          gate.release(partition.partition(), PauseCause.SHARE_USED);
        } else {
          count(load);
        }
      }
    }
  }

  /** Returns whether a partition must be held before the next poll, unless room comes first. */
  boolean isExceeded(Collection<AssignedPartition> partitions) {
    return isTight()
        && partitions.stream().anyMatch(partition -> takesRoom(partition, partitions.size()));
  }

  /** Holds those that must be, as of now; nothing is polled in between. */
  void hold(Collection<AssignedPartition> partitions) {
    boolean tight = isTight();
    for (AssignedPartition partition : partitions) {
      if (tight && takesRoom(partition, partitions.size())) {
        gate.hold(partition.partition(), PauseCause.SHARE_USED);
        count(partition.load());
      }
    }
  }

  boolean isHolding() {
    return holding;
  }

  /** Returns the records in the channel of those held, as of the last look. */
  long heldRecords() {
    return heldRecords;
  }

  /** Returns the bytes of all that is held of them. */
  long heldBytes() {
    return heldBytes;
  }

  private boolean isTight() {
    return flow.isTight(inFlight.inChannel(), inFlight.bytes());
  }

  private boolean takesRoom(AssignedPartition partition, int partitions) {
    PartitionLoad load = partition.load();
    return !isHeld(partition) && flow.isAboveShare(load.inChannel(), load.bytes(), partitions);
  }

  private boolean isHeld(AssignedPartition partition) {
    return gate.isHeld(partition.partition(), PauseCause.SHARE_USED);
  }

  private void count(PartitionLoad load) {
    heldRecords += load.inChannel();
    heldBytes += load.bytes();
    holding = true;
  }
}
