package dev.millrace.testkit.fault;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** Draws one schedule: a pure function of what it is made with. Times are in milliseconds. */
final class ScheduleDraw {
  private final SplittableRandom random;
  private final long length;
  private final Span gap;
  private final List<FaultKind> kinds;
  private final boolean oneAtATime;
  private final List<FaultStep> steps = new ArrayList<>();

  ScheduleDraw(
      SplittableRandom random, long length, Span gap, List<FaultKind> kinds, boolean oneAtATime) {
    this.random = random;
    this.length = length;
    this.gap = gap;
    this.kinds = kinds;
    this.oneAtATime = oneAtATime;
  }

  List<FaultStep> steps() {
    long at = nextGap();
    while (true) {
      long now = at;
      List<FaultKind> inTime =
          kinds.stream().filter(kind -> now + kind.lasts().shortest() <= length).toList();
      if (inTime.isEmpty()) {
        return steps;
      }
      List<FaultKind> possible =
          inTime.stream().filter(kind -> !free(kind.targets(), now).isEmpty()).toList();
      if (possible.isEmpty()) {
        at = firstHealAfter(now);
      } else {
        FaultStep step = draw(possible, now);
        steps.add(step);
        at = (oneAtATime ? step.healedAt().toMillis() : now) + nextGap();
      }
    }
  }

  private FaultStep draw(List<FaultKind> possible, long at) {
    FaultKind kind = byWeight(possible);
    List<Integer> free = free(kind.targets(), at);
    int target = free.get((int) Span.below(random, free.size()));
    long lasts = kind.lasts().draw(random, length - at);
    return new FaultStep(
        Duration.ofMillis(at),
        kind.name(),
        kind.targets().name(),
        target,
        Duration.ofMillis(lasts));
  }

  private FaultKind byWeight(List<FaultKind> possible) {
    long left = Span.below(random, possible.stream().mapToLong(FaultKind::weight).sum());
    for (FaultKind kind : possible) {
      left -= kind.weight();
      if (left < 0) {
        return kind;
      }
    }
    throw new AssertionError("What is below the sum of the weights is below one of them");
  }

  /**
   * Returns the targets that may be broken at a time. A step added later begins no earlier, so who
   * is below the bound when a fault begins stays below it until it is healed.
   */
  private List<Integer> free(Targets targets, long at) {
    List<Integer> broken =
        brokenAt(at).stream()
            .filter(step -> step.targets().equals(targets.name()))
            .map(FaultStep::target)
            .toList();
    return broken.size() >= targets.mostBroken()
        ? List.of()
        : IntStream.range(0, targets.count()).boxed().filter(i -> !broken.contains(i)).toList();
  }

  private long firstHealAfter(long at) {
    return brokenAt(at).stream().mapToLong(step -> step.healedAt().toMillis()).min().orElseThrow();
  }

  private List<FaultStep> brokenAt(long at) {
    return steps.stream().filter(step -> step.healedAt().toMillis() > at).toList();
  }

  private long nextGap() {
    return gap.draw(random, Long.MAX_VALUE);
  }
}
