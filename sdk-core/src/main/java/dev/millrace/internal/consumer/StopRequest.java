package dev.millrace.internal.consumer;

import dev.millrace.internal.time.EngineClock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * Whether, why and until when the consumer is to end, with all of its instances. The first request
 * counts. Any thread.
 */
final class StopRequest {
  private final EngineClock clock;
  private final List<Runnable> told = new CopyOnWriteArrayList<>();
  private volatile @Nullable Reason reason;

  StopRequest(EngineClock clock) {
    this.clock = clock;
  }

  /**
   * Has somebody told that the end is asked for.
   *
   * @param wake called by whoever asks for it; must not block
   */
  void whenRequested(Runnable wake) {
    told.add(wake);
  }

  /** Asks for the end; without effect when it has been asked for before. */
  void request(@Nullable Throwable failure, Duration timeout) {
    synchronized (this) {
      if (reason == null) {
        reason = new Reason(failure, timeout, clock.nanos() + timeout.toNanos());
      }
    }
    told.forEach(Runnable::run);
  }

  boolean isRequested() {
    return reason != null;
  }

  /** Returns why the consumer ends by itself; empty when it was closed, or goes on. */
  Optional<Throwable> failure() {
    Reason known = reason;
    return known == null ? Optional.empty() : Optional.ofNullable(known.failure);
  }

  /** Returns the time at which everything must have ended. */
  long deadlineNanos() {
    Reason known = reason;
    return known == null ? clock.nanos() : known.deadlineNanos;
  }

  /**
   * Returns the time until which handlers may run: a fifth is kept for the commit and the leave.
   */
  long handlersUntilNanos() {
    Reason known = reason;
    return known == null
        ? clock.nanos()
        : known.deadlineNanos - Math.min(known.timeout.toNanos() / 5, 1_000_000_000L);
  }

  private record Reason(@Nullable Throwable failure, Duration timeout, long deadlineNanos) {}
}
