package dev.millrace.testkit.fault;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * What may break, how often and for how long. For each seed it gives one {@link FaultSchedule},
 * always the same.
 *
 * <p>Times are in whole milliseconds; a smaller part is cut off. Not thread-safe.
 */
public final class FaultPlan {
  /** The system property with the seed that {@link #anySchedule} is to take. */
  public static final String SEED_PROPERTY = "millrace.fault.seed";

  private final Duration length;
  private final List<FaultKind> kinds = new ArrayList<>();
  private Span gap = Span.of("A gap", Duration.ofSeconds(1), Duration.ofSeconds(5), 0);
  private boolean oneAtATime;

  private FaultPlan(Duration length) {
    this.length = length;
  }

  /** Begins a plan; by its end all faults are healed. */
  public static FaultPlan lasting(Duration length) {
    return new FaultPlan(length);
  }

  /**
   * Sets the time from the begin of a fault to the begin of the next, and from the start to the
   * first; when faults come one at a time, it is counted from the heal of the last. It is longer
   * where all targets are broken that may be. Without, one to five seconds.
   */
  public FaultPlan gap(Duration shortest, Duration longest) {
    gap = Span.of("A gap", shortest, longest, 0);
    return this;
  }

  /**
   * Adds a kind of fault.
   *
   * @param kind its name, such as {@code kill}; one of a name
   * @param weight how often it comes, in proportion to the others
   * @throws IllegalArgumentException if the name is there, the weight is not positive, or the times
   *     are no range; or if another kind has targets of the same name, but other ones
   */
  public FaultPlan fault(
      String kind, int weight, Targets targets, Duration shortest, Duration longest) {
    Span lasts = Span.of("A fault '" + kind + "'", shortest, longest, 1);
    if (weight < 1) {
      throw new IllegalArgumentException(
          "The weight of '%s' is 1 or more, not %d".formatted(kind, weight));
    }
    for (FaultKind other : kinds) {
      if (other.name().equals(kind)) {
        throw new IllegalArgumentException("There is a kind of fault '" + kind + "' already");
      }
      if (other.targets().name().equals(targets.name()) && !other.targets().equals(targets)) {
        throw new IllegalArgumentException(
            "'%s' and '%s' mean different things by '%s': %s and %s"
                .formatted(other.name(), kind, targets.name(), other.targets(), targets));
      }
    }
    kinds.add(new FaultKind(kind, weight, targets, lasts));
    return this;
  }

  /** Lets no fault begin before the last one is healed, whatever their targets. */
  public FaultPlan oneAtATime() {
    oneAtATime = true;
    return this;
  }

  /**
   * Returns the schedule of a seed; at least one fault is in it.
   *
   * @throws IllegalArgumentException if a seed could give none, because the plan is too short or
   *     has no kind of fault
   */
  public FaultSchedule schedule(long seed) {
    long shortest = kinds.stream().mapToLong(kind -> kind.lasts().shortest()).min().orElse(-1);
    if (shortest < 0 || gap.longest() + shortest > length.toMillis()) {
      throw new IllegalArgumentException(
          "A plan of %s has no room for a fault; it needs a kind of fault, and the longest gap and the shortest fault must fit into it"
              .formatted(Span.text(length)));
    }
    ScheduleDraw draw =
        new ScheduleDraw(
            new SplittableRandom(seed), length.toMillis(), gap, List.copyOf(kinds), oneAtATime);
    return new FaultSchedule(seed, length, draw.steps());
  }

  /**
   * Returns the schedule of the seed in the system property {@value #SEED_PROPERTY}, or of a new
   * seed each time where it is not set. The verdict of a run prints the seed.
   */
  public FaultSchedule anySchedule() {
    String given = System.getProperty(SEED_PROPERTY);
    if (given == null) {
      return schedule(new SplittableRandom().nextLong());
    }
    try {
      return schedule(Long.parseLong(given));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "System property %s is '%s', which is no seed; give a whole number"
              .formatted(SEED_PROPERTY, given),
          e);
    }
  }
}
