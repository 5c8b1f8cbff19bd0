package dev.millrace.internal.time;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** Lets one line a second through, so that a thousand failing records don't bury the first. */
public final class LogThrottle {
  private static final long INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final AtomicLong nextNanos = new AtomicLong(System.nanoTime());
  private final AtomicLong held = new AtomicLong();

  /** Returns what the line ends with, or null when it is held back. */
  public @Nullable String permit() {
    long now = System.nanoTime();
    long next = nextNanos.get();
    if (now - next < 0 || !nextNanos.compareAndSet(next, now + INTERVAL_NANOS)) {
      held.incrementAndGet();
      return null;
    }
    long count = held.getAndSet(0);
    return count == 0 ? "" : " (" + count + " more such lines in the last second or longer)";
  }
}
