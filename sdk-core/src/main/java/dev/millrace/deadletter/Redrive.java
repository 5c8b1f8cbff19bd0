package dev.millrace.deadletter;

import java.util.function.Consumer;

/**
 * What is to be redriven, and how. Immutable.
 *
 * @param filter which dead letters
 * @param most no more than so many; at least 1
 * @param recordsPerSecond the most records a second, 1 to 1,000,000; they come in transactions of
 *     at most a tenth of that, and of at most 500
 * @param quarantineAfter a dead letter that has been redriven so often before stays where it is; at
 *     least 1
 * @param intoCompacted whether those of compacted topics come back, too: such a one is then the
 *     last of its key, and the topic's cleaner deletes newer ones, for all groups
 * @param onProgress told after each transaction of what has been redriven so far, by the thread
 *     that redrives; what it throws ends the redrive
 */
public record Redrive(
    DeadLetterFilter filter,
    long most,
    int recordsPerSecond,
    int quarantineAfter,
    boolean intoCompacted,
    Consumer<RedriveReport> onProgress) {
  private static final int FASTEST = 1_000_000;

  /**
   * Checks the numbers.
   *
   * @throws IllegalArgumentException when one is out of its range
   */
  public Redrive {
    require(most >= 1, "at least 1 record", most);
    require(
        recordsPerSecond >= 1 && recordsPerSecond <= FASTEST,
        "from 1 to 1,000,000 records a second",
        recordsPerSecond);
    require(quarantineAfter >= 1, "quarantine after at least 1 redrive", quarantineAfter);
  }

  private static void require(boolean good, String expected, long found) {
    if (!good) {
      throw new IllegalArgumentException("A redrive needs %s, not %d.".formatted(expected, found));
    }
  }

  /**
   * Returns the redrive of all dead letters that pass the filter and have been redriven less than 3
   * times, 1,000 a second, but for those of compacted topics.
   */
  public static Redrive of(DeadLetterFilter filter) {
    return new Redrive(filter, Long.MAX_VALUE, 1_000, 3, false, report -> {});
  }

  /** Returns the same for no more than so many. */
  public Redrive atMost(long records) {
    return new Redrive(
        filter, records, recordsPerSecond, quarantineAfter, intoCompacted, onProgress);
  }

  /** Returns the same at another pace. */
  public Redrive perSecond(int records) {
    return new Redrive(filter, most, records, quarantineAfter, intoCompacted, onProgress);
  }

  /** Returns the same with another bound on how often a record comes back. */
  public Redrive quarantineAfter(int redrives) {
    return new Redrive(filter, most, recordsPerSecond, redrives, intoCompacted, onProgress);
  }

  /** Returns the same for compacted topics too, where no newer record of their keys matters. */
  public Redrive alsoIntoCompacted() {
    return new Redrive(filter, most, recordsPerSecond, quarantineAfter, true, onProgress);
  }

  /** Returns the same with somebody who is told of its progress. */
  public Redrive onProgress(Consumer<RedriveReport> told) {
    return new Redrive(filter, most, recordsPerSecond, quarantineAfter, intoCompacted, told);
  }
}
