package dev.millrace.internal.consumer;

import dev.millrace.internal.channel.Delivery;
import dev.millrace.internal.offset.OffsetTicket;
import java.util.ArrayList;
import java.util.List;

/**
 * Records whose handlers go on though their partition has left, or goes on elsewhere. They count no
 * more, but hold a permit and their key, so somebody has to know of them. No more than permits.
 * Confined to the poll thread.
 */
final class LeftBehind {
  private final List<RunningRecord> records = new ArrayList<>();

  /** Keeps what still runs of a partition whose records have been taken back. */
  void add(AssignedPartition gone) {
    for (OffsetTicket ticket : gone.tracker().open()) {
      if (ticket.isAbandoned()
          && ticket.holder() instanceof Delivery delivery
          && delivery.isInHandler()) {
        records.add(new RunningRecord(gone.partition(), delivery));
      }
    }
  }

  /** Returns those that still run. */
  List<RunningRecord> running() {
    records.removeIf(record -> !record.delivery().isInHandler());
    return List.copyOf(records);
  }
}
