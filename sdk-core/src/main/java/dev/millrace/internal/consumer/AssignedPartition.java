package dev.millrace.internal.consumer;

import dev.millrace.internal.channel.LaneTags;
import dev.millrace.internal.channel.PartitionLoad;
import dev.millrace.internal.offset.CompletedAhead;
import dev.millrace.internal.offset.OffsetTracker;
import java.util.OptionalLong;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * One partition for one time of owning it, or until its offsets start anew. Confined to the poll
 * thread, but for what meters read.
 */
final class AssignedPartition {
  private final TopicPartition partition;
  private final OffsetTracker tracker;
  private final CommitStatus commits;
  private final PartitionLoad load;
  private final long laneSeed;
  private volatile double lag = Double.NaN;
  private volatile int unsaved;

  AssignedPartition(TopicPartition partition, CompletedAhead doneBefore) {
    this(partition, doneBefore, new CommitStatus(), new PartitionLoad());
  }

  private AssignedPartition(
      TopicPartition partition,
      CompletedAhead doneBefore,
      CommitStatus commits,
      PartitionLoad load) {
    this.partition = partition;
    this.tracker = new OffsetTracker(partition, doneBefore);
    this.commits = commits;
    this.load = load;
    this.laneSeed = LaneTags.seed(partition.topic(), partition.partition());
  }

  /** Notes the offset that an earlier owner has committed, before the first record. */
  void startsAt(OffsetAndMetadata found) {
    tracker.startsAt(found);
    commits.found(found.offset());
  }

  /**
   * Returns the partition with nothing delivered and nothing done. Its commits go on, and what
   * still runs of it takes room as before.
   */
  AssignedPartition anew() {
    return new AssignedPartition(partition, CompletedAhead.NONE, commits, load);
  }

  TopicPartition partition() {
    return partition;
  }

  OffsetTracker tracker() {
    return tracker;
  }

  CommitStatus commits() {
    return commits;
  }

  PartitionLoad load() {
    return load;
  }

  long laneSeed() {
    return laneSeed;
  }

  void lag(OptionalLong records) {
    lag = records.isPresent() ? records.getAsLong() : Double.NaN;
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
