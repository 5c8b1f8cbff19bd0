package dev.millrace.internal.producer;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * How many handles a producer has given out. Takes no lock. Any thread.
 *
 * <p>Invariant: what is retired has no handle, and never gets one again.
 */
final class Leases {
  private static final int RETIRED = -1;

  private final AtomicInteger open = new AtomicInteger();
  private volatile Turn turn = Turn.now();

  /** When it last came into use, or became idle, by both clocks. */
  private record Turn(Instant at, long nanos) {
    static Turn now() {
      return new Turn(Instant.now(), System.nanoTime());
    }
  }

  /** Returns false when it is retired. */
  boolean take() {
    int before = open.get();
    while (before != RETIRED) {
      if (open.compareAndSet(before, before + 1)) {
        if (before == 0) {
          turn = Turn.now();
        }
        return true;
      }
      before = open.get();
    }
    return false;
  }

  /** Returns whether it was the last one. */
  boolean giveBack() {
    boolean last = open.decrementAndGet() == 0;
    if (last) {
      turn = Turn.now();
    }
    return last;
  }

  /** Returns false when a handle is out: it is in use after all. */
  boolean retire() {
    return open.compareAndSet(0, RETIRED);
  }

  boolean isRetired() {
    return open.get() == RETIRED;
  }

  int open() {
    return Math.max(0, open.get());
  }

  boolean isIdle() {
    return open.get() == 0;
  }

  Instant since() {
    return turn.at();
  }

  /** How long it has been in use, or idle. */
  Duration age() {
    return Duration.ofNanos(System.nanoTime() - turn.nanos());
  }
}
