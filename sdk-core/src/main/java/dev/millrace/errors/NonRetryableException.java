package dev.millrace.errors;

import org.jspecify.annotations.Nullable;

/**
 * Thrown by a handler, itself or as a cause: no other attempt at the record can help. It goes to
 * the dead-letter topic at once, or where the policy without one says; not to a retry topic.
 */
public class NonRetryableException extends MillraceException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message what is wrong
   * @param cause what was caught, or null
   */
  public NonRetryableException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
