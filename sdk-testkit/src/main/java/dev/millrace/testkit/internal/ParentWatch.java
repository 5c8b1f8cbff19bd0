package dev.millrace.testkit.internal;

import java.io.IOException;
import java.time.Duration;

/**
 * Runs in a {@link ChildJvm}: waits for the end of standard input, which means that the parent asks
 * for the end, or has ended itself, however it did.
 */
public final class ParentWatch {
  private static final int HALTED = 70;
  private static final long PARENT = parent();

  private ParentWatch() {}

  /**
   * Starts watching. At the end of the input {@code stop} runs and the JVM exits with status 0; if
   * that takes longer than {@code bound}, it is halted.
   */
  public static void start(Runnable stop, Duration bound) {
    Thread watch =
        new Thread(
            () -> {
              awaitEndOfInput();
              haltAfter(bound);
              stop.run();
              System.exit(0);
            },
            "millrace-parent-watch");
    watch.setDaemon(true);
    watch.start();
  }

  /**
   * Returns whether the process that started this one has ended. Another has become the parent
   * then, at the latest a moment after the end of the input.
   */
  public static boolean parentIsGone() {
    return parent() != PARENT;
  }

  private static long parent() {
    return ProcessHandle.current().parent().map(ProcessHandle::pid).orElse(-1L);
  }

  private static void awaitEndOfInput() {
    try {
      while (System.in.read() >= 0) {
        // Nothing is ever written; only the end counts.
      }
    } catch (IOException e) {
      // As good as its end.
    }
  }

  private static void haltAfter(Duration bound) {
    Thread halt =
        new Thread(
            () -> {
              try {
                Thread.sleep(bound.toMillis());
              } catch (InterruptedException e) {
                // Nobody interrupts it; if somebody does, the bound is over.
              }
              Runtime.getRuntime().halt(HALTED);
            },
            "millrace-parent-watch-halt");
    halt.setDaemon(true);
    halt.start();
  }
}
