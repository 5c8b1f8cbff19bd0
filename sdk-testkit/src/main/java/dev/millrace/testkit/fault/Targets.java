package dev.millrace.testkit.fault;

/**
 * Things of one sort that faults may hit, told apart by their index.
 *
 * @param name what one of them is called, such as {@code broker}; one plan has one sort of a name
 * @param count how many there are
 * @param mostBroken how many of them may be broken at once, at least 1; three brokers keep their
 *     quorum with 1. One target never has two faults at once
 */
public record Targets(String name, int count, int mostBroken) {
  /** Checks the numbers. */
  public Targets {
    if (name.isBlank()) {
      throw new IllegalArgumentException("Targets need a name");
    }
    if (mostBroken < 1 || mostBroken > count) {
      throw new IllegalArgumentException(
          "At most %d of %d '%s' broken at once can't be; it must be from 1 to their number"
              .formatted(mostBroken, count, name));
    }
  }

  /** Returns targets of which at most one is broken at once. */
  public static Targets of(String name, int count) {
    return new Targets(name, count, 1);
  }
}
