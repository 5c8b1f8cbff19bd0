package dev.millrace.errors;

import org.jspecify.annotations.Nullable;

/**
 * A message was taken by another one, since the lease of who had it was over before it had done
 * anything. Nothing has been done for it here.
 */
public final class MessageTakenException extends MillraceException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message which message, and what to do
   * @param cause what was caught, or null
   */
  public MessageTakenException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
