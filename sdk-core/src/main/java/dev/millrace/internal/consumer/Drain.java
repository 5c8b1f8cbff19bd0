package dev.millrace.internal.consumer;

import dev.millrace.internal.offset.OffsetTracker.Abandoned;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings partitions to rest before they leave: what has not started never starts, what runs gets
 * time to end. Confined to the poll thread.
 */
final class Drain {
  private static final Logger LOG = LoggerFactory.getLogger(Drain.class);

  private final String consumer;
  private final Promise promise;
  private final BoundedWait wait;

  Drain(String consumer, Promise promise, BoundedWait wait) {
    this.consumer = consumer;
    this.promise = promise;
    this.wait = wait;
  }

  /**
   * Waits for what the promise has to end, until the deadline, or a requested stop's if that is
   * earlier; then takes the rest back.
   */
  void untilIdle(Collection<AssignedPartition> partitions, long deadlineNanos) {
    boolean unused =
        wait.until(
            () -> promise.redelivers() ? isIdle(partitions) : isAllDone(partitions), deadlineNanos);
    takeBack(partitions);
  }

  /** Sees to it that nothing starts any more; returns whether nothing runs. */
  static boolean isIdle(Collection<AssignedPartition> partitions) {
    return running(partitions) == 0;
  }

  /** Takes back everything unfinished, at once, and names in the log what still ran. */
  void takeBack(Collection<AssignedPartition> partitions) {
    List<String> stuck = new ArrayList<>();
    for (AssignedPartition partition : partitions) {
      Abandoned abandoned = partition.tracker().takeBack();
      if (abandoned.running() > 0 || (!promise.redelivers() && abandoned.unstarted() > 0)) {
        stuck.add(
            "%s: %d running, the oldest at offset %d, %d not started"
                .formatted(
                    partition.partition(),
                    abandoned.running(),
                    abandoned.oldestRunning(),
                    abandoned.unstarted()));
      }
    }
    if (!stuck.isEmpty()) {
      LOG.warn(
          "Consumer '{}' gives up partitions before all has ended; their records {}: {}",
          consumer,
          promise.redelivers()
              ? "will be handled again by the next owner"
              : "are committed, and lost unless their handlers end well",
          stuck);
    }
  }

  private static boolean isAllDone(Collection<AssignedPartition> partitions) {
    return partitions.stream().allMatch(partition -> partition.tracker().isAllDone());
  }

  private static int running(Collection<AssignedPartition> partitions) {
    int running = 0;
    for (AssignedPartition partition : partitions) {
      running += partition.tracker().retire();
    }
    return running;
  }
}
