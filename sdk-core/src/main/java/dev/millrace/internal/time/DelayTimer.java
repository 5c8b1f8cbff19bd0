package dev.millrace.internal.time;

/** Runs short tasks later. */
public interface DelayTimer extends AutoCloseable {

  /**
   * Runs a task that does not wait for anything after the delay; never, once closed. Any thread.
   */
  void after(long delayNanos, Runnable task);

  @Override
  void close();
}
