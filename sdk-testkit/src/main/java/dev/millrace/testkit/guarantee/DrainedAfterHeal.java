package dev.millrace.testkit.guarantee;

import dev.millrace.testkit.history.Event;
import dev.millrace.testkit.history.Kind;
import dev.millrace.testkit.probe.Commit;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.common.TopicPartition;

/**
 * After the last fault healed, the group came to the end of each partition within a bound, and each
 * instance that owned something to do did something.
 */
final class DrainedAfterHeal implements Check {
  private final Duration bound;

  DrainedAfterHeal(Duration bound) {
    this.bound = bound;
  }

  @Override
  public List<Violation> check(Evidence evidence) {
    Event heal =
        evidence.events().stream()
            .filter(event -> event.kind() == Kind.FAULT_HEALED)
            .reduce((first, second) -> second)
            .orElseThrow(() -> new Inconclusive("a history in which a fault healed"));
    Map<TopicPartition, LogRecord> last = new HashMap<>();
    evidence.sourceRecords().forEach(record -> last.put(record.partition(), record));
    last.values().removeIf(record -> record.offset() < evidence.start(record.partition()));

    List<Violation> violations = new ArrayList<>();
    List<Commit> commits = evidence.effectiveCommits();
    last.forEach((partition, record) -> drained(heal, record, commits, evidence, violations));
    idle(heal, evidence, violations);
    return violations;
  }

  /** The time runs from the heal, or from the partition's last record when that came later. */
  private void drained(
      Event heal,
      LogRecord last,
      List<Commit> commits,
      Evidence evidence,
      List<Violation> violations) {
    long from = Math.max(heal.micros() / 1_000, last.timestamp());
    long tolerance = evidence.clockToleranceMicros() / 1_000;
    List<Commit> ofPartition =
        commits.stream().filter(c -> c.partition().equals(last.partition())).toList();
    Commit reached = null;
    for (Commit commit : ofPartition) {
      // It may go back after a seek; what counts is when it came to the end to stay.
      if (commit.offset() <= last.offset()) {
        reached = null;
      } else if (reached == null) {
        reached = commit;
      }
    }
    if (reached == null || reached.effectiveTimestamp() > from + bound.toMillis() + tolerance) {
      violations.add(
          Violation.of(
              last.partition().toString(),
              "committed beyond @" + last.offset() + " within " + bound + " of the heal",
              reached == null
                  ? "never"
                  : "after " + Duration.ofMillis(reached.effectiveTimestamp() - from),
              heal,
              reached == null && !ofPartition.isEmpty()
                  ? ofPartition.get(ofPartition.size() - 1)
                  : reached));
    }
  }

  private void idle(Event heal, Evidence evidence, List<Violation> violations) {
    Map<TopicPartition, NavigableSet<Long>> arrivals = new HashMap<>();
    for (LogRecord record : evidence.sourceRecords()) {
      arrivals
          .computeIfAbsent(record.partition(), partition -> new TreeSet<>())
          .add(record.timestamp() * 1_000);
    }
    Set<Incarnation> worked = new HashSet<>();
    for (Delivery delivery : evidence.deliveries()) {
      Event end = delivery.end();
      if (end != null && delivery.done() && end.nanos() >= heal.nanos()) {
        worked.add(delivery.incarnation());
      }
    }
    arrivals.forEach(
        (partition, times) -> {
          for (Ownership owned : evidence.timeline().ownerships(partition)) {
            if (hadToWork(owned, heal, times) && !worked.contains(owned.incarnation())) {
              violations.add(
                  Violation.of(
                      owned.incarnation() + " " + partition,
                      "a record handled since the heal by who owns what has records",
                      "none; its last event:",
                      heal,
                      owned.begin(),
                      owned.incarnation().last()));
            }
          }
        });
  }

  /**
   * Whether a record came after the heal and while it owned the partition, which it then kept for
   * the bound, or to the end. What came before it was its own may be the work of another.
   */
  private boolean hadToWork(Ownership owned, Event heal, NavigableSet<Long> arrivals) {
    Long came = arrivals.higher(Math.max(heal.micros(), owned.begin().micros()));
    Event limit = owned.limit();
    return came != null && (limit == null || came + bound.toNanos() / 1_000 <= limit.micros());
  }
}
