package dev.millrace.testkit.guarantee;

import dev.millrace.testkit.history.Event;
import dev.millrace.testkit.history.Kind;
import dev.millrace.testkit.probe.Commit;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.TopicPartition;

/** Who commits owns: each commit in the broker's log, and each that a client saw acknowledged. */
final class CommitsByOwner implements Check {
  @Override
  public List<Violation> check(Evidence evidence) {
    List<Commit> commits = evidence.effectiveCommits();
    Timeline timeline = evidence.timeline();
    if (!timeline.knowsOwners()) {
      throw new Inconclusive("a history in which partitions were assigned");
    }
    List<Violation> violations = new ArrayList<>();
    for (Commit commit : commits) {
      boolean explained =
          commit.tombstone()
              || timeline.ownerships(commit.partition()).stream()
                  .anyMatch(owned -> explains(owned, commit, evidence));
      if (!explained) {
        violations.add(
            Violation.of(
                commit.partition().toString(),
                "a recorded owner when the broker took a commit",
                "nobody owned it:",
                commit));
      }
    }
    for (Incarnation incarnation : timeline.incarnations()) {
      for (Event event : incarnation.events()) {
        if (event.kind() == Kind.COMMITTED) {
          event
              .offsets()
              .forEach(
                  (partition, offset) -> {
                    if (!owned(incarnation, event, partition, offset, commits, evidence)) {
                      violations.add(
                          Violation.of(
                              incarnation + " " + partition,
                              "commits of what it owns only",
                              "an acknowledged commit of what it did not own:",
                              event));
                    }
                  });
        }
      }
    }
    return violations;
  }

  /** A client may learn of its commit's answer when the partition is gone already. */
  private static boolean owned(
      Incarnation incarnation,
      Event acknowledged,
      TopicPartition partition,
      long offset,
      List<Commit> commits,
      Evidence evidence) {
    List<Ownership> own =
        evidence.timeline().ownerships(partition).stream()
            .filter(owned -> owned.incarnation() == incarnation)
            .toList();
    return own.stream().anyMatch(owned -> owned.rightful(acknowledged.nanos()))
        || commits.stream()
            .filter(c -> c.partition().equals(partition) && c.offset() == offset)
            .anyMatch(c -> own.stream().anyMatch(owned -> explains(owned, c, evidence)));
  }

  private static boolean explains(Ownership owned, Commit commit, Evidence evidence) {
    long tolerance = evidence.clockToleranceMicros();
    long millisecond = commit.timestamp() * 1_000;
    return owned.covers(millisecond - tolerance, millisecond + 999 + tolerance);
  }
}
