package dev.millrace.internal.consumer;

import dev.millrace.internal.channel.LaneTags;
import dev.millrace.internal.offset.OffsetTracker;
import org.apache.kafka.common.TopicPartition;

/**
 * One partition for one time of owning it. Confined to the poll thread, but for the lag, which
 * meters read.
 */
final class AssignedPartition {
  private final TopicPartition partition;
  private final OffsetTracker tracker = new OffsetTracker();
  private final long laneSeed;
  private volatile double lag = Double.NaN;

  AssignedPartition(TopicPartition partition) {
    this.partition = partition;
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

  /** Returns log end minus first unfinished offset, or NaN while it is not known. Any thread. */
  double lag() {
    return lag;
  }
}
