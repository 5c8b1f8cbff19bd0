package dev.millrace.errors;

import org.jspecify.annotations.Nullable;

/**
 * The transaction did not commit, and never will: nothing of it is visible to a reader with {@code
 * isolation.level=read_committed}. It may be run again as a whole.
 */
public final class TransactionAbortedException extends MillraceException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message what is wrong, with the thing's name and value, and what to do
   * @param cause what was caught, or null
   */
  public TransactionAbortedException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
