package dev.millrace.testkit.guarantee;

import dev.millrace.testkit.history.Event;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * A partition in the hands of an incarnation.
 *
 * @param end the revocation, the loss or the end of the process; null when none was recorded
 * @param next the next assignment to another incarnation; null when there is none
 */
record Ownership(
    Incarnation incarnation,
    TopicPartition partition,
    Event begin,
    @Nullable Event end,
    @Nullable Event next) {

  /** What its incarnation believed, by the monotonic clock. */
  boolean covers(long nanos) {
    return begin.nanos() <= nanos && (end == null || nanos <= end.nanos());
  }

  /**
   * What ended it for the group: the partition went to another at the latest, whatever its
   * incarnation believed. Null when nothing did.
   */
  @Nullable Event limit() {
    return end == null || (next != null && next.nanos() < end.nanos()) ? next : end;
  }

  /** Whether the group, too, had given it to the incarnation then, by the monotonic clock. */
  boolean rightful(long nanos) {
    Event limit = limit();
    return begin.nanos() <= nanos && (limit == null || nanos <= limit.nanos());
  }

  /**
   * Whether a commit of this wall-clock time can be explained by it.
   *
   * @param fromMicros the commit's time, as early as it may have been
   * @param toMicros the commit's time, as late as it may have been
   */
  boolean covers(long fromMicros, long toMicros) {
    Event limit = limit();
    return begin.micros() <= toMicros && (limit == null || fromMicros <= limit.micros());
  }
}
