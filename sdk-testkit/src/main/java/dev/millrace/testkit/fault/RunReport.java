package dev.millrace.testkit.fault;

import dev.millrace.testkit.guarantee.Report;
import dev.millrace.testkit.guarantee.Result;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Gathers what a run has shown, once all is healed. For one thread. */
final class RunReport {
  private final FaultSchedule schedule;
  private final List<String> lines;
  private final List<String> findings = new ArrayList<>();
  private final List<String> doubts;

  RunReport(FaultSchedule schedule, FaultCourse course) {
    this.schedule = schedule;
    lines = new ArrayList<>(course.lines());
    doubts = new ArrayList<>(course.doubts());
    if (schedule.steps().isEmpty()) {
      doubt("the schedule has no fault");
    }
  }

  void load(Load load) {
    try {
      long moved = load.sinceMark();
      lines.add("load '%s' moved by %d".formatted(load.name(), moved));
      if (moved <= 0) {
        doubt("load '%s' did not move".formatted(load.name()));
      }
    } catch (RuntimeException | AssertionError e) {
      doubt("load '%s' can't be told: %s".formatted(load.name(), e));
    }
  }

  void check(String name, Supplier<List<String>> check) {
    attempt(name, () -> check.get().forEach(finding -> find(name, finding)));
  }

  void guarantees(String name, Supplier<Report> checked) {
    attempt(name, () -> checked.get().results().forEach(result -> guarantee(name, result)));
  }

  private void guarantee(String name, Result result) {
    switch (result.status()) {
      case HOLDS -> lines.add("%s: %s".formatted(name, result));
      case VIOLATED -> find(name, result.toString());
      case INCONCLUSIVE -> doubt("%s: %s".formatted(name, result));
    }
  }

  private void attempt(String name, Runnable check) {
    try {
      check.run();
    } catch (AssertionError e) {
      find(name, e.getMessage());
    } catch (RuntimeException e) {
      doubt("check '%s' has no evidence: %s".formatted(name, e));
    }
  }

  private void find(String name, @Nullable String finding) {
    findings.add(name + ": " + finding);
  }

  void doubt(String doubt) {
    doubts.add(doubt);
  }

  Verdict verdict() {
    return new Verdict(schedule, lines, findings, doubts);
  }
}
