package dev.millrace.internal.delivery;

import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;

/**
 * Wakes parked lanes when they are due. Its thread starts with the first delay and only ever makes
 * lanes ready; so a thousand lanes in back-off cost a thousand heap entries and no worker.
 */
public final class DelayTimer implements AutoCloseable {
  private final ScheduledThreadPoolExecutor executor;

  public DelayTimer(ThreadFactory threads) {
    this.executor = new ScheduledThreadPoolExecutor(1, threads);
    executor.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    executor.setRejectedExecutionHandler((task, closed) -> {});
  }

  /** Runs a short task later, on the timer's thread; never, once closed. */
  void after(long delayNanos, Runnable task) {
    var unused = executor.schedule(task, delayNanos, TimeUnit.NANOSECONDS);
  }

  @Override
  public void close() {
    executor.shutdownNow();
  }
}
