package dev.millrace.testkit.proxy;

import dev.millrace.testkit.TestKitException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * The threads of one proxy: daemons named {@code millrace-proxy-<node>-…}.
 *
 * <p>Thread-safe.
 */
final class ProxyThreads {
  private final String prefix;

  /** A thread that takes itself out would be missed in its last moment; so others take it out. */
  private final Set<Thread> started = ConcurrentHashMap.newKeySet();

  ProxyThreads(int node) {
    prefix = "millrace-proxy-" + node + "-";
  }

  Thread start(String name, Runnable task) {
    forgetEnded();
    Thread thread = new Thread(task, prefix + name);
    thread.setDaemon(true);
    started.add(thread);
    thread.start();
    return thread;
  }

  private void forgetEnded() {
    started.removeIf(thread -> thread.getState() == Thread.State.TERMINATED);
  }

  /**
   * Waits for the end of all that were started, also when the caller is interrupted.
   *
   * @throws TestKitException if one has not ended after {@code bound}
   */
  void awaitEnd(Duration bound) {
    long end = System.nanoTime() + bound.toNanos();
    boolean interrupted = false;
    for (Thread thread : started) {
      boolean waited = false;
      while (!waited) {
        try {
          TimeUnit.NANOSECONDS.timedJoin(thread, end - System.nanoTime());
          waited = true;
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    forgetEnded();
    if (!started.isEmpty()) {
      throw new TestKitException(
          "Threads of the proxy still run %s after its close: %s".formatted(bound, started), null);
    }
  }
}
