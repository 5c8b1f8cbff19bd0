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
   * Whether a commit of this wall-clock time can be explained by it. Without a recorded end, the
   * group gave the partition up at the latest when it went to another.
   *
   * @param fromMicros the commit's time, as early as it may have been
   * @param toMicros the commit's time, as late as it may have been
   */
  boolean covers(long fromMicros, long toMicros) {
    Event limit = end == null ? next : end;
    return begin.micros() <= toMicros && (limit == null || fromMicros <= limit.micros());
  }
}
