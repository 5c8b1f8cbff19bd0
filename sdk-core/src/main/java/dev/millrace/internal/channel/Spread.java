package dev.millrace.internal.channel;

import dev.millrace.internal.time.EngineClock;
import java.util.concurrent.TimeUnit;

/**
 * Numbers for the lanes of records that owe each other no order: a lane for each record, or for as
 * many as make a batch. Confined to the poll thread.
 */
final class Spread {
  /** Without a wait, a poll's records still make batches, when all permits are used. */
  private static final long SHORTEST_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

  private final int most;
  private final long lastsNanos;
  private final EngineClock clock;
  private long number;
  private int left;
  private long untilNanos;

  /**
   * @param most how many records in a row share a lane
   * @param waitNanos for how long they do: what comes later must not wait behind a batch that is at
   *     work by then
   */
  Spread(int most, long waitNanos, EngineClock clock) {
    this.most = most;
    this.lastsNanos = Math.max(waitNanos, SHORTEST_NANOS);
    this.clock = clock;
  }

  long next() {
    if (most == 1) {
      return ++number;
    }
    long now = clock.nanos();
    if (left == 0 || now - untilNanos >= 0) {
      number++;
      left = most;
      untilNanos = now + lastsNanos;
    }
    left--;
    return number;
  }
}
