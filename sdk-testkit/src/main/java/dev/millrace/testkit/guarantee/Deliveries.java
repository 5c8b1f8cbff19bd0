package dev.millrace.testkit.guarantee;

import dev.millrace.testkit.history.Event;
import dev.millrace.testkit.history.Kind;
import dev.millrace.testkit.history.RecordAt;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Joins starts and ends of one incarnation into deliveries. Not thread-safe. */
final class Deliveries {
  private final Incarnation incarnation;
  private final List<Delivery> deliveries = new ArrayList<>();

  /** By record, where in the list its deliveries are. */
  private final Map<Place, List<Integer>> byRecord = new HashMap<>();

  private Deliveries(Incarnation incarnation) {
    this.incarnation = incarnation;
  }

  /** Returns the deliveries by their starts. */
  static List<Delivery> of(Incarnation incarnation) {
    Deliveries all = new Deliveries(incarnation);
    for (Event event : incarnation.events()) {
      if (event.kind() == Kind.STARTED) {
        all.start(event);
      } else if (event.kind() == Kind.ENDED) {
        all.end(event);
      }
    }
    return all.deliveries;
  }

  private void start(Event event) {
    List<Integer> before = of(event);
    // The newest: an older one that failed ended with the ownership it was of.
    for (int i = before.size() - 1; i >= 0; i--) {
      int index = before.get(i);
      Delivery delivery = deliveries.get(index);
      boolean failed = delivery.end() != null && !delivery.done();
      if (failed && attempt(event) > attempt(delivery.last())) {
        deliveries.set(index, new Delivery(incarnation, delivery.start(), event, null));
        return;
      }
    }
    add(event, null);
  }

  private void end(Event event) {
    int running = -1;
    for (int index : of(event)) {
      Delivery delivery = deliveries.get(index);
      if (delivery.end() != null) {
        continue;
      }
      // The thread tells two of the same record apart; a dead letter ends on the producer's thread.
      if (running < 0 || delivery.last().thread().equals(event.thread())) {
        running = index;
      }
    }
    if (running < 0) {
      add(event, event);
    } else {
      Delivery delivery = deliveries.get(running);
      deliveries.set(running, new Delivery(incarnation, delivery.start(), delivery.last(), event));
    }
  }

  private void add(Event start, @Nullable Event end) {
    of(start).add(deliveries.size());
    deliveries.add(new Delivery(incarnation, start, start, end));
  }

  private List<Integer> of(Event event) {
    RecordAt record = Delivery.record(event);
    return byRecord.computeIfAbsent(
        new Place(record.partition(), record.offset()), place -> new ArrayList<>());
  }

  private static int attempt(Event event) {
    return Delivery.record(event).attempt();
  }
}
