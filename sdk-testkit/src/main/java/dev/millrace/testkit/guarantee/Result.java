package dev.millrace.testkit.guarantee;

import java.util.List;
import java.util.stream.Collectors;

/**
 * What became of one guarantee.
 *
 * @param guarantee its name
 * @param status whether it holds
 * @param missing the evidence that was missing; empty unless inconclusive
 * @param findings what breaks it, all of it; empty unless violated
 */
public record Result(String guarantee, Status status, String missing, List<Finding> findings) {
  private static final int SHOWN = 5;

  /** Copies the findings. */
  public Result {
    findings = List.copyOf(findings);
  }

  /** Whether a guarantee holds. */
  public enum Status {
    /** Nothing in the evidence breaks it, and the evidence was enough to tell. */
    HOLDS,
    /** The findings break it. */
    VIOLATED,
    /** The evidence was not enough to tell. Not a pass. */
    INCONCLUSIVE
  }

  /** Returns the status in a few words. */
  String summary() {
    return switch (status) {
      case HOLDS -> "HOLDS";
      case VIOLATED -> "VIOLATED " + findings.size();
      case INCONCLUSIVE -> "INCONCLUSIVE: " + missing;
    };
  }

  /** Returns it for people, with the first findings and how many there are. */
  @Override
  public String toString() {
    String head = guarantee + ": " + summary();
    if (findings.isEmpty()) {
      return head;
    }
    String shown =
        findings.stream().limit(SHOWN).map(Finding::toString).collect(Collectors.joining("\n"));
    int more = findings.size() - SHOWN;
    return head + "\n" + shown + (more > 0 ? "\n… and " + more + " more" : "");
  }
}
