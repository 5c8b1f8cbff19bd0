package dev.millrace.internal.consumer;

import dev.millrace.internal.channel.Delivery;
import dev.millrace.internal.offset.OffsetTicket;
import java.util.ArrayList;
import java.util.List;

/**
 * One look at the records in handlers: how old the oldest is, and which are overdue. Confined to
 * the poll thread.
 *
 * <p>It goes through the delivered records, as a commit does ten times as often, and stops at those
 * polled so late that they are neither.
 */
final class RunningRecords {
  private final long now;
  private final long afterNanos;
  private final List<RunningRecord> overdue = new ArrayList<>();
  private long oldestNanos;

  private RunningRecords(long now, long afterNanos) {
    this.now = now;
    this.afterNanos = afterNanos;
  }

  /**
   * Looks, also at handlers of partitions that have left: they hold permits and keys.
   *
   * @param afterNanos how old an attempt must be to be overdue
   */
  static RunningRecords look(Assignment assignment, long now, long afterNanos) {
    RunningRecords look = new RunningRecords(now, afterNanos);
    assignment.leftBehind().forEach(look::add);
    assignment.all().forEach(look::add);
    return look;
  }

  /** Returns how long the oldest attempt under way has taken; 0 when there is none. */
  long oldestNanos() {
    return oldestNanos;
  }

  /** Returns the overdue ones, in no order. */
  List<RunningRecord> overdue() {
    return overdue;
  }

  private void add(AssignedPartition partition) {
    for (OffsetTicket ticket : partition.tracker().open()) {
      if (ticket.holder() instanceof Delivery delivery) {
        long sincePolled = now - delivery.queuedNanos();
        if (sincePolled <= oldestNanos && sincePolled < afterNanos) {
          return;
        }
        if (delivery.isInHandler()) {
          add(new RunningRecord(partition.partition(), delivery));
        }
      }
    }
  }

  private void add(RunningRecord record) {
    long nanos = record.nanos(now);
    oldestNanos = Math.max(oldestNanos, nanos);
    if (nanos >= afterNanos) {
      overdue.add(record);
    }
  }
}
