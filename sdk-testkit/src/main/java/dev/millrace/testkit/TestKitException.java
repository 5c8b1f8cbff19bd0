package dev.millrace.testkit;

import org.jspecify.annotations.Nullable;

/** The test kit could not do what was asked; the message says what to look at next. */
public final class TestKitException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Makes one; the cause may be null. */
  public TestKitException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
