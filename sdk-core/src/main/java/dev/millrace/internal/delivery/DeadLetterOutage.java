package dev.millrace.internal.delivery;

import io.github.resilience4j.core.IntervalFunction;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * While a dead-letter or retry topic can't be written, one record tries it now and then and the
 * others wait: each try may hold its worker for a second, and healthy keys need the workers. Any
 * thread.
 */
final class DeadLetterOutage {
  /** Several times the longest back-off: a record that waits would have tried it long since. */
  private static final long FORGOTTEN_NANOS = TimeUnit.MINUTES.toNanos(1);

  private static final IntervalFunction BACKOFF =
      IntervalFunction.ofExponentialBackoff(Duration.ofMillis(250), 2, Duration.ofSeconds(10));

  private final AtomicInteger failures = new AtomicInteger();
  private final AtomicLong nextTryNanos = new AtomicLong();
  private volatile long sinceNanos;
  private volatile String reason = "";

  DeadLetterOutage() {}

  /** Returns 0 when the caller may try now, else how long to wait before asking again. */
  long waitNanos(long nowNanos) {
    int failed = failures.get();
    if (failed == 0) {
      return 0;
    }
    long next = nextTryNanos.get();
    // Whoever moves the time on has the try; the others wait for the moved time.
    if (nowNanos - next >= 0 && nextTryNanos.compareAndSet(next, nowNanos + backoff(failed))) {
      return 0;
    }
    return Math.max(TimeUnit.MILLISECONDS.toNanos(1), nextTryNanos.get() - nowNanos);
  }

  /** Notes a failed send, and returns how long its record waits. */
  long failed(long nowNanos, Throwable failure) {
    reason = Failures.text(failure);
    int failed = failures.incrementAndGet();
    if (failed == 1) {
      sinceNanos = nowNanos;
    }
    long wait = backoff(failed);
    nextTryNanos.set(nowNanos + wait);
    return wait;
  }

  /** Returns how many sends have failed since the last that succeeded. */
  int failures() {
    return failures.get();
  }

  /**
   * Returns whether it goes on, and a record waits for its end. When the partitions have gone whose
   * records went there, nobody finds out here whether it has ended.
   */
  boolean isWaitedFor(long nowNanos) {
    return failures.get() > 0 && nowNanos - nextTryNanos.get() < FORGOTTEN_NANOS;
  }

  /** Returns when the first of {@link #failures()} was. */
  long sinceNanos() {
    return sinceNanos;
  }

  /** Returns what the last of {@link #failures()} was. */
  String reason() {
    return reason;
  }

  void succeeded() {
    failures.set(0);
  }

  private static long backoff(int failures) {
    return TimeUnit.MILLISECONDS.toNanos(BACKOFF.apply(failures));
  }
}
