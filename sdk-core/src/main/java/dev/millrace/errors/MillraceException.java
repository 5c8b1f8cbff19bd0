package dev.millrace.errors;

import org.jspecify.annotations.Nullable;

/**
 * The root of what producers, consumers and their factory throw of their own; what is wrong with a
 * file is a {@link dev.millrace.config.ConfigException}.
 */
public class MillraceException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message what is wrong, with the thing's name and value, and what to do
   * @param cause what was caught, or null
   */
  public MillraceException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
