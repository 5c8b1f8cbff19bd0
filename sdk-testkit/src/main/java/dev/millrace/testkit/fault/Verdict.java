package dev.millrace.testkit.fault;

import java.util.List;

/**
 * What a {@link FaultRun} has shown.
 *
 * @param schedule what was to break when
 * @param course what became of each fault and of the load, a line each
 * @param findings what did not hold, each with the name of its check
 * @param doubts why the run proves nothing
 */
public record Verdict(
    FaultSchedule schedule, List<String> course, List<String> findings, List<String> doubts) {
  /** The three ways. */
  public enum Outcome {
    /** Every fault had its effect, a load passed, and all held. */
    PASS,
    /** Something did not hold; whether all faults had their effect does not matter then. */
    FAIL,
    /** Nothing was found, but nothing is proved. */
    INVALID
  }

  /** Takes copies. */
  public Verdict {
    course = List.copyOf(course);
    findings = List.copyOf(findings);
    doubts = List.copyOf(doubts);
  }

  /** Returns the outcome: a finding beats a doubt, a doubt beats a pass. */
  public Outcome outcome() {
    if (!findings.isEmpty()) {
      return Outcome.FAIL;
    }
    return doubts.isEmpty() ? Outcome.PASS : Outcome.INVALID;
  }

  /**
   * Requires that all held and that it is proved.
   *
   * @throws AssertionError if the outcome is another than {@link Outcome#PASS}, with all that is
   *     known
   */
  public void requirePass() {
    if (outcome() != Outcome.PASS) {
      throw new AssertionError(toString());
    }
  }

  /** Returns all that is known, and how to run the same schedule again. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    text.append(
        "%s, seed %d (again: schedule(%dL), or -D%s=%d where the test takes anySchedule())"
            .formatted(
                outcome(),
                schedule.seed(),
                schedule.seed(),
                FaultPlan.SEED_PROPERTY,
                schedule.seed()));
    append(text, "What did not hold", findings);
    append(text, "Why it proves nothing", doubts);
    append(text, "What happened in " + Span.text(schedule.length()), course);
    return text.toString();
  }

  private static void append(StringBuilder text, String title, List<String> lines) {
    if (!lines.isEmpty()) {
      text.append('\n').append(title).append(':');
      lines.forEach(line -> text.append("\n  ").append(line));
    }
  }
}
