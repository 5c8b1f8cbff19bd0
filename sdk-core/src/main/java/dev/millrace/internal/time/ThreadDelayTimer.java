package dev.millrace.internal.time;

import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;

/**
 * A timer with one thread, which starts with the first delay; so a thousand lanes in back-off cost
 * a thousand heap entries and no worker.
 */
public final class ThreadDelayTimer implements DelayTimer {
  private final ScheduledThreadPoolExecutor executor;

  public ThreadDelayTimer(ThreadFactory threads) {
    this.executor = new ScheduledThreadPoolExecutor(1, threads);
    executor.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    executor.setRejectedExecutionHandler((task, closed) -> {});
  }

  @Override
  public void after(long delayNanos, Runnable task) {
    var unused = executor.schedule(task, delayNanos, TimeUnit.NANOSECONDS);
  }

  @Override
  public void close() {
    executor.shutdownNow();
  }
}
