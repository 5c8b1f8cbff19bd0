package dev.millrace.testkit.fault;

import static java.util.Objects.requireNonNull;

import dev.millrace.testkit.guarantee.Report;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Runs a schedule of faults beside a load, heals all of them whatever happens, and then checks what
 * was to hold.
 *
 * <p>Not thread-safe. All it is given is called by the thread that calls {@link #run()}.
 */
public final class FaultRun {
  private final FaultSchedule schedule;
  private final Map<String, IntFunction<Fault>> faults = new LinkedHashMap<>();
  private final List<Load> loads = new ArrayList<>();
  private final List<Consumer<RunReport>> checks = new ArrayList<>();
  private Consumer<String> began = name -> {};
  private Consumer<String> healed = name -> {};
  private Pause pause = Pause.REAL;

  private FaultRun(FaultSchedule schedule) {
    this.schedule = schedule;
  }

  /** Begins the definition of a run. */
  public static FaultRun of(FaultSchedule schedule) {
    return new FaultRun(schedule);
  }

  /**
   * Says what a kind of fault of the schedule is.
   *
   * @param onTarget makes the fault of a target, anew each time it is to begin
   */
  public FaultRun fault(String kind, IntFunction<Fault> onTarget) {
    faults.put(kind, onTarget);
    return this;
  }

  /**
   * Names a load that is under way already.
   *
   * @param passed a number that grows when it gets on; if it is the same before the first fault and
   *     after the last, the run proves nothing
   */
  public FaultRun load(String name, LongSupplier passed) {
    loads.add(new Load(name, passed));
    return this;
  }

  /**
   * Adds a check, made when all is healed, in the order they are added.
   *
   * @param findings returns what does not hold, nothing if all does; an {@link AssertionError} it
   *     throws is a finding as well, and any other exception means that there is no evidence, so
   *     that the run proves nothing
   */
  public FaultRun check(String name, Supplier<List<String>> findings) {
    checks.add(report -> report.check(name, findings));
    return this;
  }

  /**
   * Adds a check of guarantees: those that are violated are findings, those that are inconclusive
   * make the run prove nothing.
   *
   * @param checked gathers the evidence and checks it
   */
  public FaultRun guarantees(String name, Supplier<Report> checked) {
    checks.add(report -> report.guarantees(name, checked));
    return this;
  }

  /**
   * Has the names of faults written down.
   *
   * @param began called before a fault has any effect
   * @param healed called when it has none any more
   */
  public FaultRun recording(Consumer<String> began, Consumer<String> healed) {
    this.began = began;
    this.healed = healed;
    return this;
  }

  /** For tests that step time. */
  FaultRun pausing(Pause pause) {
    this.pause = pause;
    return this;
  }

  /**
   * Runs it, which takes the length of the schedule and what the faults and checks take. A failure
   * or an interruption ends it early and is a doubt in the verdict; the thread stays interrupted.
   *
   * @throws IllegalStateException if a kind of fault of the schedule is not known here, or there is
   *     no load or no check; nothing has happened then
   */
  public Verdict run() {
    requireComplete();
    loads.forEach(Load::mark);
    FaultCourse course = new FaultCourse(schedule, this::make, pause, began, healed);
    course.run();

    RunReport report = new RunReport(schedule, course);
    loads.forEach(report::load);
    if (Thread.currentThread().isInterrupted()) {
      report.doubt("it was interrupted; nothing was checked");
    } else if (!course.isWhole()) {
      report.doubt("what is broken still would make every check fail; nothing was checked");
    } else {
      checks.forEach(check -> check.accept(report));
    }
    return report.verdict();
  }

  private Fault make(FaultStep step) {
    return requireNonNull(faults.get(step.kind())).apply(step.target());
  }

  private void requireComplete() {
    TreeSet<String> unknown = new TreeSet<>();
    schedule.steps().forEach(step -> unknown.add(step.kind()));
    unknown.removeAll(faults.keySet());
    if (!unknown.isEmpty()) {
      throw new IllegalStateException(
          "The schedule has faults %s, the run knows only %s; add them with fault(…)"
              .formatted(unknown, faults.keySet()));
    }
    if (loads.isEmpty() || checks.isEmpty()) {
      throw new IllegalStateException(
          "A run without a load or without a check proves nothing; add them with load(…), check(…)");
    }
  }
}
