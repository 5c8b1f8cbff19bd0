package dev.millrace.internal.delivery;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** Lets one line a second through, so that a thousand failing records don't bury the first. */
final class LogThrottle {
  private static final long INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final AtomicLong nextNanos = new AtomicLong(System.nanoTime());
  private final AtomicLong held = new AtomicLong();

  /** Returns how many lines were held back since the last one, or -1 to hold this one back too. */
  long permit() {
    long now = System.nanoTime();
    long next = nextNanos.get();
    if (now - next >= 0 && nextNanos.compareAndSet(next, now + INTERVAL_NANOS)) {
      return held.getAndSet(0);
    }
    held.incrementAndGet();
    return -1;
  }
}
