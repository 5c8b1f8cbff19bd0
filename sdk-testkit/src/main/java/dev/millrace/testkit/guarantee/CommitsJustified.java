package dev.millrace.testkit.guarantee;

import dev.millrace.testkit.history.Event;
import dev.millrace.testkit.probe.Commit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.TopicPartition;

/** When a commit was made, every record below it had its end. */
final class CommitsJustified implements Check {
  @Override
  public List<Violation> check(Evidence evidence) {
    Map<Place, Event> ends = new HashMap<>();
    for (Delivery delivery : evidence.deliveries()) {
      Event end = delivery.end();
      if (end != null && delivery.done()) {
        ends.merge(delivery.place(), end, (a, b) -> a.micros() <= b.micros() ? a : b);
      }
    }
    Map<TopicPartition, TreeMap<Long, LogRecord>> open = new HashMap<>();
    for (LogRecord record : evidence.sourceRecords()) {
      if (record.offset() >= evidence.start(record.partition())) {
        open.computeIfAbsent(record.partition(), partition -> new TreeMap<>())
            .put(record.offset(), record);
      }
    }
    List<Violation> violations = new ArrayList<>();
    for (Commit commit : evidence.effectiveCommits()) {
      // The first commit beyond a record is the one that needs its end; later ones are later.
      Map<Long, LogRecord> passed =
          open.getOrDefault(commit.partition(), new TreeMap<>()).headMap(commit.offset());
      for (LogRecord record : passed.values()) {
        Place place = new Place(record.partition(), record.offset());
        Event end = ends.get(place);
        if (end == null || end.micros() > latest(commit, evidence)) {
          violations.add(
              Violation.of(
                  place + " key " + record.key(),
                  "an end before the first commit beyond it",
                  end == null ? "no end at all" : "an end after it",
                  commit,
                  end));
        }
      }
      passed.clear();
    }
    return violations;
  }

  /** In microseconds; the broker's clock tells only milliseconds. */
  private static long latest(Commit commit, Evidence evidence) {
    return commit.timestamp() * 1_000 + 999 + evidence.clockToleranceMicros();
  }
}
