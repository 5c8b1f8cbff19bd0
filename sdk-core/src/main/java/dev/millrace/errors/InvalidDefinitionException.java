package dev.millrace.errors;

import org.jspecify.annotations.Nullable;

/** A definition that the Kafka client or the engine can't work with. */
public final class InvalidDefinitionException extends MillraceException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message what is wrong, with the thing's name and value, and what to do
   * @param cause what was caught, or null
   */
  public InvalidDefinitionException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
