package dev.millrace.testkit.internal;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import java.util.function.Supplier;

/** Looks at something again and again until it is as wanted, or the time is over. */
public final class Poll {
  private static final long PAUSE_NANOS = Duration.ofMillis(20).toNanos();

  private Poll() {}

  /**
   * Returns the first look that is as wanted, or the last one when the time is over; the caller
   * tells them apart by the same predicate. Looks at least once. Ends early when interrupted.
   */
  public static <T> T until(Duration bound, Supplier<T> look, Predicate<? super T> wanted) {
    long start = System.nanoTime();
    T seen = look.get();
    while (!wanted.test(seen)
        && System.nanoTime() - start < bound.toNanos()
        && !Thread.currentThread().isInterrupted()) {
      LockSupport.parkNanos(PAUSE_NANOS);
      seen = look.get();
    }
    return seen;
  }
}
