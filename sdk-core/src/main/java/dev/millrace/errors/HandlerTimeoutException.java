package dev.millrace.errors;

import org.jspecify.annotations.Nullable;

/**
 * A record stayed in its handler for longer than {@code handler-watchdog.after}, and was given up
 * for it. What its handler threw in the end, if it did, is suppressed by this.
 */
public final class HandlerTimeoutException extends MillraceException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message which record, how long, and what to do
   * @param cause what was caught, or null
   */
  public HandlerTimeoutException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
