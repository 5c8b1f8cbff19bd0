package dev.millrace.errors;

import org.jspecify.annotations.Nullable;

/**
 * All slots of a transactional producer stayed in use for as long as a transaction may wait for one
 * ({@code transaction.acquire-timeout}). Nothing was begun.
 */
public final class TransactionSlotsBusyException extends MillraceException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message what is wrong, with the thing's name and value, and what to do
   * @param cause what was caught, or null
   */
  public TransactionSlotsBusyException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
