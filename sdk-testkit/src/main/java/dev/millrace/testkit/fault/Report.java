package dev.millrace.testkit.fault;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** Gathers what a run has shown, once all is healed. For one thread. */
final class Report {
  private final FaultSchedule schedule;
  private final List<String> lines;
  private final List<String> findings = new ArrayList<>();
  private final List<String> doubts;

  Report(FaultSchedule schedule, FaultCourse course) {
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
    try {
      check.get().forEach(finding -> findings.add(name + ": " + finding));
    } catch (AssertionError e) {
      findings.add(name + ": " + e.getMessage());
    } catch (RuntimeException e) {
      doubt("check '%s' has no evidence: %s".formatted(name, e));
    }
  }

  void doubt(String doubt) {
    doubts.add(doubt);
  }

  Verdict verdict() {
    return new Verdict(schedule, lines, findings, doubts);
  }
}
