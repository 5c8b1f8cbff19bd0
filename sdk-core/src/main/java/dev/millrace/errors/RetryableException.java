package dev.millrace.errors;

import org.jspecify.annotations.Nullable;

/**
 * Thrown by a handler, itself or as a cause: another attempt at the record may help, whatever
 * {@code retry.non-retryable} says of what this was caused by.
 */
public class RetryableException extends MillraceException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message what is wrong
   * @param cause what was caught, or null
   */
  public RetryableException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
