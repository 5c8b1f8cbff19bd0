package dev.millrace.internal.channel;

import dev.millrace.internal.time.DelayTimer;

/** Its time never comes: the test says itself what happens then. */
final class NoTimer implements DelayTimer {
  @Override
  public void after(long delayNanos, Runnable task) {}

  @Override
  public void close() {}
}
