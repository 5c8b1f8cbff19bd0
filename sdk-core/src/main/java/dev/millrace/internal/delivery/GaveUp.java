package dev.millrace.internal.delivery;

import dev.millrace.errors.HandlerTimeoutException;

/** Why there is no other attempt at a record, in the words of logs and headers. */
final class GaveUp {
  static final String ATTEMPTS_USED_UP = "attempts used up";
  static final String MAX_DURATION = "max-duration reached";
  static final String THROWN = "non-retryable: thrown as such";
  static final String CLASSIFIED = "non-retryable: as classified";
  static final String UNDECODABLE = "undecodable";
  static final String NO_MESSAGE_ID = "no message id";
  static final String BY_HANDLER = "by its handler";

  private GaveUp() {}

  /** Of a record whose handler was not called, or no longer counts. */
  static String of(Throwable givenUp) {
    return givenUp instanceof HandlerTimeoutException
        ? "overdue in its handler"
        : "kept from its handler";
  }

  static String listed(Class<?> type) {
    return "non-retryable: " + type.getName() + " listed";
  }
}
