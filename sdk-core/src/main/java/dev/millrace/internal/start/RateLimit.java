package dev.millrace.internal.start;

import dev.millrace.config.RateLimitDefinition;
import java.util.concurrent.atomic.AtomicLong;

/**
 * So many records within a time, evenly: a bucket of tokens, kept as the one moment at which all
 * that has been taken is paid for. Any thread, without a lock.
 *
 * <p>What is not used is lost, but for a tenth: so a worker that comes late does not lower the
 * rate, and within any time of {@code per} at most a tenth more than {@code records} start. A batch
 * starts as a whole as soon as one record might, and what comes behind it waits until it is paid.
 */
public final class RateLimit {
  /** One part of the records of a time may be made up for. */
  private static final int MADE_UP = 10;

  private final RateLimitDefinition definition;

  /** Rounded up, so that it is never too fast. */
  private final long nanosEach;

  private final long madeUpNanos;
  private final AtomicLong paidNanos;

  RateLimit(RateLimitDefinition definition, long nowNanos) {
    this.definition = definition;
    long per = definition.per().toNanos();
    this.nanosEach = (per + definition.records() - 1) / definition.records();
    this.madeUpNanos = (Math.max(1, definition.records() / MADE_UP) - 1) * nanosEach;
    this.paidNanos = new AtomicLong(nowNanos);
  }

  /** Returns what is configured; of several instances, this one's share. */
  public RateLimitDefinition definition() {
    return definition;
  }

  /** Takes the tokens of so many records; false when none may start now. */
  boolean take(int records, long nowNanos) {
    long paid = paidNanos.get();
    while (free(paid, nowNanos) > 0) {
      long from = paid - nowNanos < 0 ? nowNanos : paid;
      if (paidNanos.compareAndSet(paid, from + records * nanosEach)) {
        return true;
      }
      paid = paidNanos.get();
    }
    return false;
  }

  /** The tokens of records that have not started, after all. */
  void giveBack(int records) {
    paidNanos.addAndGet(-records * nanosEach);
  }

  /** Returns how many records may start now. */
  long free(long nowNanos) {
    return free(paidNanos.get(), nowNanos);
  }

  private long free(long paid, long nowNanos) {
    long ahead = Math.max(0, paid - nowNanos);
    return ahead > madeUpNanos ? 0 : (madeUpNanos - ahead) / nanosEach + 1;
  }

  /** Returns from when on the next record may start. */
  long nextNanos() {
    return paidNanos.get() - madeUpNanos;
  }
}
