package dev.millrace.testkit.guarantee;

import dev.millrace.testkit.probe.Commit;
import dev.millrace.testkit.probe.Offsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;

/** Commits never go back, but after a seek or a reset, and never beyond the end of the log. */
final class CommitsMonotonic implements Check {
  @Override
  public List<Violation> check(Evidence evidence) {
    Map<TopicPartition, Offsets> offsets = evidence.offsets();
    List<Violation> violations = new ArrayList<>();
    Map<TopicPartition, Commit> last = new HashMap<>();
    for (Commit commit : evidence.effectiveCommits()) {
      if (commit.tombstone()) {
        last.remove(commit.partition());
        continue;
      }
      Commit before = last.put(commit.partition(), commit);
      if (before != null
          && commit.offset() < before.offset()
          && !movedBetween(before, commit, evidence)) {
        violations.add(
            Violation.of(
                commit.partition().toString(),
                "commits that never go back, since no seek was recorded",
                "one that goes back by " + (before.offset() - commit.offset()) + ":",
                before,
                commit));
      }
      Offsets ends = offsets.get(commit.partition());
      if (ends != null && commit.offset() > ends.end()) {
        violations.add(
            Violation.of(
                commit.partition().toString(),
                "no commit beyond the end of the log, " + ends.end(),
                "@" + commit.offset(),
                commit));
      }
    }
    return violations;
  }

  private static boolean movedBetween(Commit before, Commit after, Evidence evidence) {
    long tolerance = evidence.clockToleranceMicros();
    long from = before.timestamp() * 1_000 - tolerance;
    long to = after.timestamp() * 1_000 + 999 + tolerance;
    return evidence.timeline().seeks(after.partition()).stream()
        .anyMatch(seek -> from <= seek.micros() && seek.micros() <= to);
  }
}
