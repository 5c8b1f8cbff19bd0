package dev.millrace.errors;

import org.jspecify.annotations.Nullable;

/**
 * The commit of a transaction was asked for and not confirmed: it is committed as a whole or not at
 * all, and nobody here knows which. To run it again may double it; look first at what a reader with
 * {@code isolation.level=read_committed} sees, or at the committed offsets where it had some. The
 * next transaction of the same slot begins only after the brokers have ended this one for good.
 */
public final class TransactionUnknownException extends MillraceException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message what is wrong, with the thing's name and value, and what to do
   * @param cause what was caught, or null
   */
  public TransactionUnknownException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
