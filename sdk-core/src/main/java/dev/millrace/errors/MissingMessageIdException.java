package dev.millrace.errors;

import org.jspecify.annotations.Nullable;

/**
 * A record has no message id, so nobody can say whether it has been handled; under {@code
 * idempotency.missing-id: fail}.
 */
public final class MissingMessageIdException extends MillraceException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message which record, and what to do
   * @param cause what was caught, or null
   */
  public MissingMessageIdException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
