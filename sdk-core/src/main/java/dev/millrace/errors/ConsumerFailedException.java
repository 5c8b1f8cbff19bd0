package dev.millrace.errors;

import org.jspecify.annotations.Nullable;

/** A consumer stopped by itself; the cause is the record's failure or the client's error. */
public final class ConsumerFailedException extends MillraceException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message what is wrong, with the thing's name and value, and what to do
   * @param cause what was caught, or null
   */
  public ConsumerFailedException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
