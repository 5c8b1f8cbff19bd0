package dev.millrace.testkit.guarantee;

import dev.millrace.testkit.history.Event;
import dev.millrace.testkit.history.Kind;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Records handled again. A handler that started and left no end may have done its work, so it
 * counts like one that did.
 */
final class Redo {
  /** A delivery of a record, and the next one of the same. */
  record Pair(Delivery before, Delivery again) {}

  private Redo() {}

  /** No record is handled twice. */
  static List<Violation> none(Evidence evidence) {
    return pairs(evidence.deliveries()).stream()
        .map(pair -> violation(pair, "handled once"))
        .toList();
  }

  /**
   * A record is handled again only after its owner crashed, or lost the partition, and no more than
   * {@code limit} for each time that happened; after a seek, any number.
   */
  static Check bounded(int limit) {
    return evidence -> {
      List<Violation> violations = new ArrayList<>();
      Map<Event, Set<Place>> redone = new LinkedHashMap<>();
      Map<Event, Pair> example = new HashMap<>();
      for (Pair pair : pairs(evidence.deliveries())) {
        Event cause = cause(pair, evidence.timeline());
        if (cause == null) {
          violations.add(violation(pair, "handled once, since its owner kept it"));
        } else if (cause.kind() != Kind.SEEK) {
          redone.computeIfAbsent(cause, event -> new LinkedHashSet<>()).add(pair.again().place());
          example.putIfAbsent(cause, pair);
        }
      }
      redone.forEach(
          (cause, places) -> {
            if (places.size() > limit) {
              violations.add(tooMany(cause, places, limit, example));
            }
          });
      return violations;
    };
  }

  /** What allows the pair and what it counts under; null when nothing allows it. */
  private static @Nullable Event cause(Pair pair, Timeline timeline) {
    Event end = timeline.breakBetween(pair.before(), pair.again());
    if (end == null) {
      // Its own loss, of which it knew nothing; how the owner before it ended is another matter.
      return timeline.takenUnseen(pair.again());
    }
    return end.kind() == Kind.SEEK ? end : timeline.countedUnder(end, pair.again());
  }

  private static Violation tooMany(
      Event cause, Set<Place> places, int limit, Map<Event, Pair> example) {
    Pair pair = example.get(cause);
    return Violation.of(
        cause.name() + " (process " + cause.process() + ")",
        "at most " + limit + " records handled again after it ended or lost its partitions",
        places.size() + ": " + first(places),
        cause,
        pair == null ? null : pair.before().start(),
        pair == null ? null : pair.again().start());
  }

  private static String first(Collection<Place> places) {
    int shown = 10;
    String text = String.join(", ", places.stream().limit(shown).map(Place::toString).toList());
    return places.size() > shown ? text + ", …" : text;
  }

  private static Violation violation(Pair pair, String expected) {
    return Violation.of(
        pair.again().place() + " key " + pair.again().key(),
        expected,
        pair.before().incarnation() == pair.again().incarnation()
            ? "handled again by the same process:"
            : "handled again by another process:",
        pair.before().start(),
        pair.before().end(),
        pair.again().start(),
        pair.again().end());
  }

  private static List<Pair> pairs(List<Delivery> deliveries) {
    Map<Place, Delivery> last = new HashMap<>();
    List<Pair> pairs = new ArrayList<>();
    for (Delivery delivery : deliveries) {
      if (delivery.mayHaveHappened()) {
        Delivery before = last.put(delivery.place(), delivery);
        if (before != null) {
          pairs.add(new Pair(before, delivery));
        }
      }
    }
    return pairs;
  }
}
