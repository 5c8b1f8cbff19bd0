package dev.millrace.internal.consumer;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** What a thread is at, as far as a person wants to know. Any thread. */
final class Stacks {
  private static final int MOST_FRAMES = 15;

  /** Below it, every worker's stack looks the same. */
  private static final String BELOW_HANDLERS = "dev.millrace.internal.delivery.";

  private Stacks() {}

  /** Returns the innermost frames. */
  static List<StackTraceElement> innermost(Thread thread) {
    return Arrays.stream(thread.getStackTrace()).limit(MOST_FRAMES).toList();
  }

  /** Returns the innermost frames of a handler. */
  static List<StackTraceElement> ofHandler(StackTraceElement[] stack) {
    return handler(stack).limit(MOST_FRAMES).toList();
  }

  /** Returns where a handler is: the innermost frame that is not the JDK's, or nothing known. */
  static String place(StackTraceElement[] stack) {
    return handler(stack)
        .filter(frame -> !isJdk(frame.getClassName()))
        .findFirst()
        .map(Stacks::brief)
        .orElse("its decoder or handler");
  }

  private static Stream<StackTraceElement> handler(StackTraceElement[] stack) {
    return Arrays.stream(stack)
        .takeWhile(frame -> !frame.getClassName().startsWith(BELOW_HANDLERS));
  }

  private static boolean isJdk(String className) {
    return className.startsWith("java.")
        || className.startsWith("jdk.")
        || className.startsWith("sun.");
  }

  private static String brief(StackTraceElement frame) {
    String className = frame.getClassName();
    String method =
        className.substring(className.lastIndexOf('.') + 1) + "." + frame.getMethodName();
    return frame.getLineNumber() < 0
        ? method
        : "%s(%s:%d)".formatted(method, frame.getFileName(), frame.getLineNumber());
  }
}
