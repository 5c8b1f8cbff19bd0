package dev.millrace.testkit.guarantee;

import dev.millrace.testkit.history.Event;
import dev.millrace.testkit.history.Kind;
import dev.millrace.testkit.history.RecordAt;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What was acknowledged is in the log where it was acknowledged, and only that. */
final class AckedInLog implements Check {
  @Override
  public List<Violation> check(Evidence evidence) {
    List<Violation> violations = new ArrayList<>();
    Map<Place, Event> acked = new HashMap<>();
    // The broker tells no offset to a batch sent again whose place it does not remember any more.
    List<Event> placeless = new ArrayList<>();
    Map<String, Map<Place, LogRecord>> logs = new HashMap<>();
    for (Event event : evidence.events()) {
      if (event.kind() != Kind.ACKED) {
        continue;
      }
      RecordAt sent = Delivery.record(event);
      Place place = new Place(sent.partition(), sent.offset());
      if (sent.offset() < 0) {
        placeless.add(event);
        continue;
      }
      Event other = acked.putIfAbsent(place, event);
      if (other != null) {
        violations.add(
            Violation.of(place.toString(), "one send for one place", "two:", other, event));
      }
      Map<Place, LogRecord> log =
          logs.computeIfAbsent(sent.partition().topic(), topic -> log(evidence, topic));
      LogRecord there = log.get(place);
      if (!holds(there, sent) && place.offset() >= evidence.begin(place.partition())) {
        violations.add(
            Violation.of(
                place + " key " + sent.key(),
                "the acknowledged record in the log",
                there == null ? "nothing there" : "another one there",
                event,
                there));
      }
    }
    for (Event event : placeless) {
      RecordAt sent = Delivery.record(event);
      boolean there =
          logs
              .computeIfAbsent(sent.partition().topic(), topic -> log(evidence, topic))
              .values()
              .stream()
              .anyMatch(r -> r.partition().equals(sent.partition()) && holds(r, sent));
      if (!there) {
        violations.add(
            Violation.of(
                sent.partition() + " key " + sent.key(),
                "the acknowledged record, whose offset the broker did not tell, in the log",
                "nothing like it there",
                event));
      }
    }
    if (acked.isEmpty() && placeless.isEmpty()) {
      throw new Inconclusive("a history in which a send was acknowledged");
    }
    return violations;
  }

  private static boolean holds(@Nullable LogRecord there, RecordAt sent) {
    return there != null
        && there.valueId().equals(sent.valueId())
        && Objects.equals(there.key(), sent.key());
  }

  private static Map<Place, LogRecord> log(Evidence evidence, String topic) {
    List<LogRecord> records = evidence.recordsOf(topic);
    if (records == null) {
      throw new Inconclusive("what topic " + topic + " holds");
    }
    Map<Place, LogRecord> log = new HashMap<>();
    records.forEach(record -> log.put(new Place(record.partition(), record.offset()), record));
    return log;
  }
}
