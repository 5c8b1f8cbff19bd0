package dev.millrace.testkit.fault;

import java.time.Duration;
import java.util.function.LongSupplier;

/** One number that is to move, and how long it has not. For the watchdog's thread alone. */
final class Watched {
  private final String name;
  private final LongSupplier progress;
  private long last;
  private Duration still = Duration.ZERO;
  private boolean told;

  Watched(String name, LongSupplier progress) {
    this.name = name;
    this.progress = progress;
    last = progress.getAsLong();
  }

  /**
   * Looks again, and returns true at the first look that completes {@code bound} without a move;
   * never again after.
   *
   * @param elapsed the time since the last look
   */
  boolean hasJustStalled(Duration elapsed, Duration bound) {
    long now = read();
    still = now == last ? still.plus(elapsed) : Duration.ZERO;
    last = now;
    boolean stalled = !told && still.compareTo(bound) >= 0;
    told |= stalled;
    return stalled;
  }

  @Override
  public String toString() {
    return "'%s' has stood at %d for %s".formatted(name, last, still);
  }

  /** Who can't be asked has not moved. */
  private long read() {
    try {
      return progress.getAsLong();
    } catch (RuntimeException e) {
      return last;
    }
  }
}
