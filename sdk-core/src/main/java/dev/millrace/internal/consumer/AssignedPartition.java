package dev.millrace.internal.consumer;

import dev.millrace.internal.channel.LaneTags;
import dev.millrace.internal.channel.PartitionLoad;
import dev.millrace.internal.offset.CompletedAhead;
import dev.millrace.internal.offset.OffsetTracker;
import java.util.OptionalLong;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * One partition for one time of owning it, or until its offsets start anew. Confined to the poll
 * thread, but for what meters read.
 */
final class AssignedPartition {
  private static final long NO_END = Long.MAX_VALUE;

  private final TopicPartition partition;
  private final long end;
  private final OffsetTracker tracker;
  private final CommitStatus commits;
  private final PartitionLoad load;
  private final long laneSeed;
  private final NotDue notDue = new NotDue();

  /** Where it goes on when nothing of this tracker counts; null for where it was first read. */
  private @Nullable OffsetAndMetadata base;

  /** What the group's offsets say of it, as far as we know; null for nothing. */
  private @Nullable OffsetAndMetadata known;

  private volatile double lag = Double.NaN;
  private volatile int unsaved;

  AssignedPartition(TopicPartition partition, CompletedAhead doneBefore) {
    this(partition, NO_END, doneBefore, new CommitStatus(), new PartitionLoad());
  }

  /** Returns a partition of which only what lies before an offset is handled. */
  static AssignedPartition until(TopicPartition partition, long end) {
    return new AssignedPartition(
        partition, end, CompletedAhead.NONE, new CommitStatus(), new PartitionLoad());
  }

  private AssignedPartition(
      TopicPartition partition,
      long end,
      CompletedAhead doneBefore,
      CommitStatus commits,
      PartitionLoad load) {
    this.partition = partition;
    this.end = end;
    this.tracker = new OffsetTracker(partition, doneBefore);
    this.commits = commits;
    this.load = load;
    this.laneSeed = LaneTags.seed(partition.topic(), partition.partition());
  }

  /** Notes the offset that an earlier owner has committed, before the first record. */
  void startsAt(OffsetAndMetadata found) {
    tracker.startsAt(found);
    commits.found(found.offset());
    base = found;
    known = found;
  }

  /** Notes that the group has taken a commit. */
  void committed(OffsetAndMetadata offset) {
    tracker.committed(offset);
    base = offset;
    known = offset;
  }

  /**
   * Returns the offset that its last commit, or whatever it was started by, has left it at; -1 when
   * nothing is known of it and nothing was delivered.
   */
  long base() {
    return base == null ? tracker.first() : base.offset();
  }

  /** Returns the partition as it was at its base. */
  AssignedPartition atBase(long offset) {
    OffsetAndMetadata from = base == null ? new OffsetAndMetadata(offset) : base;
    AssignedPartition again =
        new AssignedPartition(
            partition,
            end,
            CompletedAhead.read(partition, from).orElse(CompletedAhead.NONE),
            commits,
            load);
    again.tracker.startsAt(from);
    again.base = from;
    again.known = known;
    return again;
  }

  /**
   * Returns the partition with nothing delivered and nothing done. Its commits go on, and what
   * still runs of it takes room as before.
   */
  AssignedPartition anew() {
    AssignedPartition anew =
        new AssignedPartition(partition, end, CompletedAhead.NONE, commits, load);
    anew.known = known;
    return anew;
  }

  /** Whether the group's offsets say just this, as far as we know. */
  boolean isKnown(OffsetAndMetadata offset) {
    return known != null
        && known.offset() == offset.offset()
        && known.metadata().equals(offset.metadata());
  }

  /** Whether it goes on where the group's offsets say, as far as we know. */
  boolean isWhereKnown() {
    return known != null && known.equals(base);
  }

  /** Whether nobody else can have owned the partition between this one and the other. */
  boolean isOfTheSameTimeAs(AssignedPartition other) {
    return commits == other.commits;
  }

  TopicPartition partition() {
    return partition;
  }

  /** Returns the first offset that is not handled any more, whether the log has it or not. */
  long end() {
    return end;
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

  /** Notes where the client goes on, with no record to hand over before but what waits. */
  void readTo(OffsetAndMetadata position) {
    if (notDue.isEmpty()) {
      tracker.position(position);
    } else {
      notDue.next(position);
    }
  }

  /** Returns where the client goes on, as far as that is known. */
  OptionalLong readTo() {
    return notDue.isEmpty() ? tracker.position() : notDue.next();
  }

  /** Returns what waits of it, if it is a retry topic's. */
  NotDue notDue() {
    return notDue;
  }

  /**
   * Returns from where it is read so that nothing is left out that is yet to be handled, if that
   * was promised.
   *
   * @param target from where it is to be read on otherwise
   */
  long readOnAt(Promise promise, long target) {
    long readOn = promise.readOnAt(tracker, target);
    return notDue.isEmpty() ? readOn : Math.min(readOn, notDue.offset());
  }

  /** Passes over a record that waits until it is due; false when there is no such one. */
  boolean drop(long offset) {
    ConsumerRecord<byte[], byte[]> dropped = notDue.drop(offset);
    if (dropped == null) {
      return false;
    }
    OffsetAndMetadata next = notDue.position(dropped);
    if (next.offset() > offset) { // Else what waits before it is handed over first.
      tracker.position(next);
    }
    return true;
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
