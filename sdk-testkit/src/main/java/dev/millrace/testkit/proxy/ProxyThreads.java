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
  private final Set<Thread> alive = ConcurrentHashMap.newKeySet();

  ProxyThreads(int node) {
    prefix = "millrace-proxy-" + node + "-";
  }

  Thread start(String name, Runnable task) {
    Thread thread = new Thread(() -> run(task), prefix + name);
    thread.setDaemon(true);
    alive.add(thread);
    thread.start();
    return thread;
  }

  private void run(Runnable task) {
    try {
      task.run();
    } finally {
      alive.remove(Thread.currentThread());
    }
  }

  /**
   * Waits for the end of all that were started, also when the caller is interrupted.
   *
   * @throws TestKitException if one has not ended after {@code bound}
   */
  void awaitEnd(Duration bound) {
    long end = System.nanoTime() + bound.toNanos();
    boolean interrupted = false;
    for (Thread thread : alive) {
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
    if (!alive.isEmpty()) {
      throw new TestKitException(
          "Threads of the proxy still run %s after its close: %s".formatted(bound, alive), null);
    }
  }
}
