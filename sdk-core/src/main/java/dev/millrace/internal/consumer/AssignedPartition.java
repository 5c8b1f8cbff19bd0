package dev.millrace.internal.consumer;

import dev.millrace.internal.channel.LaneTags;
import dev.millrace.internal.offset.CompletedAhead;
import dev.millrace.internal.offset.OffsetTracker;
import org.apache.kafka.common.TopicPartition;

/**
 * One partition for one time of owning it. Confined to the poll thread, but for what meters read.
 */
final class AssignedPartition {
  private final TopicPartition partition;
  private final OffsetTracker tracker;
  private final long laneSeed;
  private volatile double lag = Double.NaN;
  private volatile int unsaved;

  AssignedPartition(TopicPartition partition, CompletedAhead doneBefore) {
    this.partition = partition;
    this.tracker = new OffsetTracker(partition, doneBefore);
    this.laneSeed = LaneTags.seed(partition.topic(), partition.partition());
  }

  TopicPartition partition() {
    return partition;
  }

  OffsetTracker tracker() {
    return tracker;
  }

  long laneSeed() {
    return laneSeed;
  }

  void lag(long records) {
    lag = records;
  }

  void unsaved(int records) {
    unsaved = records;
  }

  /** Returns how many records are done that a crash now would have handled again. Any thread. */
  int unsaved() {
    return unsaved;
  }

  /** Returns log end minus first unfinished offset, or NaN while it is not known. Any thread. */
  double lag() {
    return lag;
  }
}
