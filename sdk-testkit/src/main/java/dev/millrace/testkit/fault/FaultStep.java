package dev.millrace.testkit.fault;

import java.time.Duration;

/**
 * One fault of a schedule.
 *
 * @param at when it begins, from the start of the run
 * @param kind what happens, such as {@code kill}
 * @param targets to what sort of thing, such as {@code broker}
 * @param target to which of them, counted from 0
 * @param lasts how long until it is healed, more than zero
 */
public record FaultStep(Duration at, String kind, String targets, int target, Duration lasts) {
  /** Checks the times. */
  public FaultStep {
    if (at.isNegative() || lasts.isNegative() || lasts.isZero()) {
      throw new IllegalArgumentException(
          "A fault begins at 0 or later and lasts more than 0, not at %s for %s"
              .formatted(at, lasts));
    }
  }

  /** Returns when it is healed, from the start of the run. */
  public Duration healedAt() {
    return at.plus(lasts);
  }

  boolean isSameTargetAs(FaultStep other) {
    return target == other.target && targets.equals(other.targets);
  }

  /** Returns the step so that steps stand well one below the other. */
  String aligned() {
    return "%10s".formatted(Span.text(at)) + rest();
  }

  /** Returns {@code 2.300s kill broker 1 for 7.500s}. */
  @Override
  public String toString() {
    return Span.text(at) + rest();
  }

  private String rest() {
    return " %s %s %d for %s".formatted(kind, targets, target, Span.text(lasts));
  }
}
