package dev.millrace.internal.transaction;

import java.util.Objects;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.jspecify.annotations.Nullable;

/**
 * How a record leaves for another topic. Immutable.
 *
 * @param cause why: what its last attempt failed with; null when it only follows its key
 * @param gaveUp why it has no other; empty when it goes to a retry topic
 * @param attempts how many it has had
 * @param level the retry topic that it goes to, from 1; 0 for the dead-letter topic
 * @param cut how much of its dead letter is left out, for want of room; 0 for nothing
 */
public record Departure(
    @Nullable Throwable cause, String gaveUp, int attempts, int level, int cut) {

  /** Returns how one leaves that has not failed: it goes where an earlier one of its key is. */
  public static Departure following(int level, int attempts) {
    return new Departure(null, "", attempts, level, 0);
  }

  /** Returns whether it has not failed here, and goes where an earlier one of its key is. */
  public boolean followsKey() {
    return cause == null;
  }

  /** Returns the cause of one that does not only follow its key. */
  public Throwable failure() {
    return Objects.requireNonNull(cause);
  }

  /**
   * Whether a topic has refused a record for what it is, so that it will never take it: it is too
   * large, or it has no key where the topic is compacted, or no topic can have that name.
   */
  public static boolean isRefused(Throwable failure) {
    return failure instanceof RecordTooLargeException
        || failure instanceof InvalidRecordException
        || failure instanceof InvalidTopicException;
  }

  /** Returns the same with more left out. */
  public Departure cutMore() {
    return new Departure(cause, gaveUp, attempts, level, cut + 1);
  }
}
