package dev.millrace.testkit.fault;

import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What breaks when, and when it is healed. Mostly drawn by a {@link FaultPlan}; written by hand, it
 * is held to the same rules.
 *
 * @param seed what it was drawn from
 * @param length how long the run is; all is healed by then
 * @param steps the faults by their begin
 */
public record FaultSchedule(long seed, Duration length, List<FaultStep> steps) {
  /** Checks that each fault is healed by the end, and that no target has two at once. */
  public FaultSchedule {
    steps = List.copyOf(steps);
    for (int i = 0; i < steps.size(); i++) {
      FaultStep step = steps.get(i);
      if (step.healedAt().compareTo(length) > 0) {
        throw new IllegalArgumentException(
            "'%s' is not healed by the end, %s".formatted(step, Span.text(length)));
      }
      for (FaultStep earlier : steps.subList(0, i)) {
        requireOrder(earlier, step);
      }
    }
  }

  private static void requireOrder(FaultStep earlier, FaultStep step) {
    if (earlier.at().compareTo(step.at()) > 0) {
      throw new IllegalArgumentException("'%s' is to stand before '%s'".formatted(step, earlier));
    }
    if (earlier.isSameTargetAs(step) && earlier.healedAt().compareTo(step.at()) > 0) {
      throw new IllegalArgumentException(
          "'%s' begins before the same target is healed of '%s'".formatted(step, earlier));
    }
  }

  /** Returns the seed, and each fault in a line of its own. */
  @Override
  public String toString() {
    return steps.stream()
        .map(FaultStep::aligned)
        .collect(
            Collectors.joining(
                "\n",
                "%d faults in %s, seed %d\n".formatted(steps.size(), Span.text(length), seed),
                ""));
  }
}
