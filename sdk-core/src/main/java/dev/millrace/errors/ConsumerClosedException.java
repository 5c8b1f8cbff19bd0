package dev.millrace.errors;

import org.jspecify.annotations.Nullable;

/** Something was asked of a consumer that has ended, or ended before it came to it. */
public final class ConsumerClosedException extends MillraceException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message what is wrong, with the thing's name and value, and what to do
   * @param cause what was caught, or null
   */
  public ConsumerClosedException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
