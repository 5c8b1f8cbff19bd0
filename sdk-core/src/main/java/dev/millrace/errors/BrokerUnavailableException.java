package dev.millrace.errors;

import org.jspecify.annotations.Nullable;

/** No broker answered within {@code connect-timeout}. Nothing was left open. */
public final class BrokerUnavailableException extends MillraceException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message what is wrong, with the thing's name and value, and what to do
   * @param cause what was caught, or null
   */
  public BrokerUnavailableException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
