package dev.millrace.internal.channel;

import dev.millrace.internal.time.EngineClock;

/**
 * Numbers for the lanes of records that owe each other no order: a lane for each record, or for as
 * many as make a batch. Confined to the poll thread.
 */
final class Spread {
  private final int most;
  private final long waitNanos;
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
    this.waitNanos = waitNanos;
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
      untilNanos = now + waitNanos;
    }
    left--;
    return number;
  }
}
