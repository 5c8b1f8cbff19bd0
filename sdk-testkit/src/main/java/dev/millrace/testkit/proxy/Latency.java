package dev.millrace.testkit.proxy;

import java.time.Duration;
import java.util.SplittableRandom;

/**
 * How much later things arrive. The same seed gives the same jitter to the same piece of the same
 * connection, whatever the threads' timing.
 */
record Latency(Duration least, Duration jitter, long seed) {
  Latency {
    if (least.isNegative() || jitter.isNegative() || least.plus(jitter).isZero()) {
      throw new IllegalArgumentException(
          "Latency and jitter must not be negative nor both zero, not " + least + ", " + jitter);
    }
  }

  /** The latency in ns of the {@code index}-th piece of a stream. */
  long of(long stream, long index) {
    long unique = seed ^ Long.rotateLeft(stream, 32) ^ index;
    return least.toNanos() + new SplittableRandom(unique).nextLong(jitter.toNanos() + 1);
  }
}
