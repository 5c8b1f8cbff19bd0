package dev.millrace.testkit.fault;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Goes through a schedule once. For one thread.
 *
 * <p>The schedule's time stands still while something is broken or healed, so that slow acts delay
 * what follows, but neither change its order nor shorten a fault.
 */
final class FaultCourse {
  private final Duration length;
  private final List<StepRun> steps = new ArrayList<>();
  private final List<Moment> moments = new ArrayList<>();
  private final Pause pause;
  private final Consumer<String> healed;

  FaultCourse(
      FaultSchedule schedule,
      Function<FaultStep, Fault> faults,
      Pause pause,
      Consumer<String> began,
      Consumer<String> healed) {
    this.length = schedule.length();
    this.pause = pause;
    this.healed = healed;
    for (FaultStep step : schedule.steps()) {
      StepRun run = new StepRun(step, () -> faults.apply(step));
      steps.add(run);
      moments.add(new Moment(step.at(), false, () -> run.begin(began)));
      moments.add(new Moment(step.healedAt(), true, () -> run.heal(healed)));
    }
    moments.sort(Comparator.comparing(Moment::at).thenComparing(moment -> !moment.heals()));
  }

  /**
   * Runs until the schedule's end, or until something goes wrong or the thread is interrupted. All
   * that has begun is healed then, or {@link #isWhole()} says that it could not be. A thread that
   * was interrupted is so afterwards.
   */
  void run() {
    try {
      Duration now = Duration.ZERO;
      for (Moment moment : moments) {
        pause.of(moment.at().minus(now));
        now = moment.at();
        moment.act().run();
        if (steps.stream().anyMatch(StepRun::hasFailed)) {
          return;
        }
      }
      pause.of(length.minus(now));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      healAll();
    }
  }

  boolean isWhole() {
    return steps.stream().allMatch(StepRun::isWhole);
  }

  List<String> doubts() {
    return steps.stream().flatMap(step -> step.doubts().stream()).toList();
  }

  List<String> lines() {
    return steps.stream().map(StepRun::toString).toList();
  }

  private void healAll() {
    // An interrupted thread could not wait for what it heals.
    boolean interrupted = Thread.interrupted();
    for (int i = steps.size() - 1; i >= 0; i--) {
      steps.get(i).heal(healed);
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Heals come before begins of the same time. */
  private record Moment(Duration at, boolean heals, Runnable act) {}
}
