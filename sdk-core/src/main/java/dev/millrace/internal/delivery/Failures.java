package dev.millrace.internal.delivery;

/** Texts of what handlers throw; a handler's exception may even throw when it is asked for one. */
final class Failures {
  private Failures() {}

  static String text(Throwable failure) {
    try {
      return failure.toString();
    } catch (RuntimeException hostile) {
      return failure.getClass().getName();
    }
  }

  static String message(Throwable failure) {
    try {
      return String.valueOf(failure.getMessage());
    } catch (RuntimeException hostile) {
      return "";
    }
  }
}
