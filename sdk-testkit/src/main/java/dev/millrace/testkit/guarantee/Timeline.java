package dev.millrace.testkit.guarantee;

import dev.millrace.testkit.history.Event;
import dev.millrace.testkit.history.Kind;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** The events, put together: who lived, who owned what, who handled what. Immutable. */
final class Timeline {
  private final List<Incarnation> incarnations;
  private final List<Delivery> deliveries;
  private final Map<TopicPartition, List<Ownership>> ownerships;
  private final Map<TopicPartition, List<Event>> seeks = new HashMap<>();

  /** The events in the order of time. */
  Timeline(List<Event> events) {
    incarnations = incarnations(events);
    deliveries =
        incarnations.stream()
            .flatMap(incarnation -> Deliveries.of(incarnation).stream())
            .sorted(Comparator.comparingLong(delivery -> delivery.start().nanos()))
            .toList();
    ownerships = ownerships(incarnations);
    for (Event event : events) {
      if (event.kind() == Kind.SEEK) {
        event
            .offsets()
            .keySet()
            .forEach(tp -> seeks.computeIfAbsent(tp, key -> new ArrayList<>()).add(event));
      }
    }
  }

  List<Incarnation> incarnations() {
    return incarnations;
  }

  /** All deliveries by their starts. */
  List<Delivery> deliveries() {
    return deliveries;
  }

  /** The ownerships of a partition by their begins. */
  List<Ownership> ownerships(TopicPartition partition) {
    return ownerships.getOrDefault(partition, List.of());
  }

  boolean knowsOwners() {
    return !ownerships.isEmpty();
  }

  List<Event> seeks(TopicPartition partition) {
    return seeks.getOrDefault(partition, List.of());
  }

  /**
   * Returns the event that allows {@code again} to repeat what {@code before} had: the end of the
   * earlier one's ownership, recorded by itself or by the next owner; its crash, of which its last
   * event stands; or a seek. Where nobody recorded owners, an incarnation that says no more counts
   * as crashed. Null when nothing does.
   */
  @Nullable Event breakBetween(Delivery before, Delivery again) {
    long from = before.start().nanos();
    long to = again.start().nanos();
    TopicPartition partition = before.place().partition();
    Event seek = seekBetween(before, again);
    if (seek != null) {
      return seek;
    }
    Incarnation earlier = before.incarnation();
    for (Ownership owned : ownerships(partition)) {
      if (owned.incarnation() == earlier && owned.covers(from)) {
        if (owned.end() != null && owned.end().nanos() <= to) {
          return owned.end();
        }
        if (owned.next() != null && owned.next().nanos() <= to) {
          return owned.end() == null ? earlier.last() : owned.next();
        }
      }
    }
    boolean gone = earlier != again.incarnation() && earlier.last().nanos() <= to;
    return gone && ownerships(partition).isEmpty() ? earlier.last() : null;
  }

  /** Returns the seek between the starts of two deliveries of a partition; null when none was. */
  @Nullable Event seekBetween(Delivery before, Delivery after) {
    return seeks(before.place().partition()).stream()
        .filter(s -> before.start().nanos() <= s.nanos() && s.nanos() <= after.start().nanos())
        .findFirst()
        .orElse(null);
  }

  /**
   * Returns what a redo that something allows is counted under: how the partition's owner before
   * this one ended, and not the owner who had the record, which may have been long ago.
   */
  Event countedUnder(Event allowedBy, Delivery again) {
    Ownership before = null;
    Event found = allowedBy;
    for (Ownership owned : ownerships(again.place().partition())) {
      boolean mine = owned.incarnation() == again.incarnation();
      if (before != null && mine && owned.covers(again.start().nanos())) {
        found = before.end() == null ? before.incarnation().last() : before.end();
      }
      before = owned;
    }
    return found;
  }

  /**
   * Returns the assignment that took the partition of a delivery from its incarnation, which had
   * not learned of it when it started the record: it had stood still, or was cut off. Null for any
   * other delivery.
   */
  @Nullable Event takenUnseen(Delivery delivery) {
    long at = delivery.start().nanos();
    for (Ownership owned : ownerships(delivery.place().partition())) {
      boolean believed = owned.incarnation() == delivery.incarnation() && owned.covers(at);
      if (believed && owned.next() != null && owned.next().nanos() <= at) {
        return owned.next();
      }
    }
    return null;
  }

  private static List<Incarnation> incarnations(List<Event> events) {
    Map<String, List<Event>> living = new LinkedHashMap<>();
    List<List<Event>> all = new ArrayList<>();
    for (Event event : events) {
      String writer = event.process() + "/" + event.name();
      if (event.kind() == Kind.PROCESS_STARTED || !living.containsKey(writer)) {
        List<Event> life = new ArrayList<>();
        living.put(writer, life);
        all.add(life);
      }
      Objects.requireNonNull(living.get(writer)).add(event);
    }
    return all.stream().map(Incarnation::new).toList();
  }

  private static Map<TopicPartition, List<Ownership>> ownerships(List<Incarnation> incarnations) {
    Map<TopicPartition, List<Ownership>> open = new HashMap<>();
    for (Incarnation incarnation : incarnations) {
      Map<TopicPartition, Event> owned = new HashMap<>();
      for (Event event : incarnation.events()) {
        switch (event.kind()) {
          case ASSIGNED -> event.offsets().keySet().forEach(tp -> owned.putIfAbsent(tp, event));
          case REVOKED, LOST ->
              event.offsets().keySet().forEach(tp -> end(open, incarnation, tp, owned, event));
          case PROCESS_ENDED ->
              List.copyOf(owned.keySet()).forEach(tp -> end(open, incarnation, tp, owned, event));
          default -> {}
        }
      }
      List.copyOf(owned.keySet()).forEach(tp -> end(open, incarnation, tp, owned, null));
    }
    Map<TopicPartition, List<Ownership>> all = new HashMap<>();
    open.forEach((partition, unfinished) -> all.put(partition, withNext(unfinished)));
    return all;
  }

  private static void end(
      Map<TopicPartition, List<Ownership>> all,
      Incarnation incarnation,
      TopicPartition partition,
      Map<TopicPartition, Event> owned,
      @Nullable Event end) {
    Event begin = owned.remove(partition);
    if (begin != null) {
      all.computeIfAbsent(partition, tp -> new ArrayList<>())
          .add(new Ownership(incarnation, partition, begin, end, null));
    }
  }

  private static List<Ownership> withNext(List<Ownership> ownerships) {
    ownerships.sort(Comparator.comparingLong(owned -> owned.begin().nanos()));
    List<Ownership> all = new ArrayList<>();
    for (int i = 0; i < ownerships.size(); i++) {
      Ownership owned = ownerships.get(i);
      Event next =
          ownerships.subList(i + 1, ownerships.size()).stream()
              .filter(later -> later.incarnation() != owned.incarnation())
              .map(Ownership::begin)
              .findFirst()
              .orElse(null);
      all.add(
          new Ownership(owned.incarnation(), owned.partition(), owned.begin(), owned.end(), next));
    }
    return List.copyOf(all);
  }
}
