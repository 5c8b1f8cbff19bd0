package dev.millrace.testkit.guarantee;

import dev.millrace.testkit.history.Event;
import dev.millrace.testkit.history.Kind;
import dev.millrace.testkit.probe.Commit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Every record that was to be handled has an end in some process. */
final class NoLoss implements Check {
  private static final Comparator<Place> BY_PLACE =
      Comparator.comparing((Place place) -> place.partition().toString())
          .thenComparingLong(Place::offset);

  @Override
  public List<Violation> check(Evidence evidence) {
    List<Delivery> deliveries = evidence.deliveries();
    Map<Place, @Nullable String> wanted = wanted(evidence);
    Set<Place> done = new HashSet<>();
    Map<Place, Delivery> last = new HashMap<>();
    for (Delivery delivery : deliveries) {
      last.put(delivery.place(), delivery);
      if (delivery.done()) {
        done.add(delivery.place());
      }
    }
    List<Violation> violations = new ArrayList<>();
    wanted.forEach(
        (place, key) -> {
          if (!done.contains(place)) {
            violations.add(lost(place, key, last.get(place), evidence));
          }
        });
    return violations;
  }

  /** What the topics hold, and what a sender knows to be there. */
  private static Map<Place, @Nullable String> wanted(Evidence evidence) {
    Map<Place, @Nullable String> wanted = new TreeMap<>(BY_PLACE);
    Set<String> topics = evidence.sourceTopics();
    for (Event event : evidence.events()) {
      if (event.kind() == Kind.ACKED) {
        var sent = Delivery.record(event);
        if (topics.isEmpty() || topics.contains(sent.partition().topic())) {
          wanted.put(new Place(sent.partition(), sent.offset()), sent.key());
        }
      }
    }
    if (wanted.isEmpty() || !topics.isEmpty()) {
      evidence
          .sourceRecords()
          .forEach(r -> wanted.put(new Place(r.partition(), r.offset()), r.key()));
    }
    wanted.keySet().removeIf(place -> place.offset() < evidence.start(place.partition()));
    if (wanted.isEmpty()) {
      throw new Inconclusive("a record that was to be handled");
    }
    return wanted;
  }

  private static Violation lost(
      Place place, @Nullable String key, @Nullable Delivery last, Evidence evidence) {
    Commit past =
        evidence.knownCommits().stream()
            .filter(c -> c.partition().equals(place.partition()) && c.offset() > place.offset())
            .findFirst()
            .orElse(null);
    String found = last == null ? "no process started it" : "none";
    return Violation.of(
        place + " key " + key,
        "an end in some process: handled, dead-lettered or skipped",
        past == null ? found : found + ", yet the group went past it",
        last == null ? null : last.last(),
        last == null ? null : last.end(),
        past);
  }
}
