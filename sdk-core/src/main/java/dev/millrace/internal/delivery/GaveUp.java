package dev.millrace.internal.delivery;

import dev.millrace.internal.channel.Delivery;
import org.apache.kafka.common.errors.RecordTooLargeException;

/** Why there is no other attempt at a record, in the words of logs and headers. */
public final class GaveUp {
  static final String ATTEMPTS_USED_UP = "attempts used up";
  static final String MAX_DURATION = "max-duration reached";
  static final String THROWN = "non-retryable: thrown as such";
  static final String CLASSIFIED = "non-retryable: as classified";
  static final String UNDECODABLE = "undecodable";
  public static final String KEPT_FROM_HANDLER = "kept from its handler";
  static final String NO_MESSAGE_ID = "no message id";
  static final String BY_HANDLER = "by its handler";

  private GaveUp() {}

  /** Of a record that was refused, or whose handler no longer counts. */
  static String of(Delivery delivery) {
    String refused = delivery.refusedWhy();
    return refused == null ? "overdue in its handler" : refused;
  }

  /** Of a record that its retry topic will never take. */
  public static String byRetryTopic(Throwable refusal) {
    return refusal instanceof RecordTooLargeException
        ? "too large for its retry topic"
        : "refused by its retry topic";
  }

  static String listed(Class<?> type) {
    return "non-retryable: " + type.getName() + " listed";
  }
}
