package dev.millrace.errors;

import org.jspecify.annotations.Nullable;

/** A value that couldn't be turned into bytes, or bytes that couldn't be turned into a value. */
public final class PayloadException extends MillraceException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message what is wrong, with the thing's name and value, and what to do
   * @param cause what was caught, or null
   */
  public PayloadException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
