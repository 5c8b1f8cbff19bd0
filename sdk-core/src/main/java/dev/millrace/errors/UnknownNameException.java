package dev.millrace.errors;

import org.jspecify.annotations.Nullable;

/** A producer or consumer name that the configuration doesn't define. */
public final class UnknownNameException extends MillraceException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message what is wrong, with the thing's name and value, and what to do
   * @param cause what was caught, or null
   */
  public UnknownNameException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
