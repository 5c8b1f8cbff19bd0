package dev.millrace.testkit.proxy;

import java.util.concurrent.TimeUnit;

/**
 * A line that carries so many bytes a second, shared by all connections of one direction.
 *
 * <p>Thread-safe.
 */
final class Throttle {
  /** Bytes go in slices of 50 ms, so that they flow and so that the end of the fault is noticed. */
  private static final long SLICES_PER_SECOND = 20;

  private final long bytesPerSecond;
  private long freeAt = System.nanoTime();

  /**
   * Makes one.
   *
   * @throws IllegalArgumentException for less than 1 byte a second
   */
  Throttle(long bytesPerSecond) {
    if (bytesPerSecond < 1) {
      throw new IllegalArgumentException(
          "A throttle lets 1 or more bytes a second through, not " + bytesPerSecond);
    }
    this.bytesPerSecond = bytesPerSecond;
  }

  /** How many bytes to send at once, of those that are there. */
  int slice(int available) {
    return (int) Math.min(available, Math.max(1, bytesPerSecond / SLICES_PER_SECOND));
  }

  /** Returns when these bytes have gone over the line. */
  void carry(int bytes) throws InterruptedException {
    TimeUnit.NANOSECONDS.sleep(reserve(bytes));
  }

  private synchronized long reserve(int bytes) {
    long now = System.nanoTime();
    long start = freeAt - now > 0 ? freeAt : now;
    freeAt = start + bytes * TimeUnit.SECONDS.toNanos(1) / bytesPerSecond;
    return freeAt - now;
  }
}
