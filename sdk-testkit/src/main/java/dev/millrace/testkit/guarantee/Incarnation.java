package dev.millrace.testkit.guarantee;

import dev.millrace.testkit.history.Event;
import dev.millrace.testkit.history.Kind;
import java.util.List;

/** One life of a writer, from where it began to its last event. Compared by identity. */
final class Incarnation {
  private final List<Event> events;

  /** The events of one writer in the order of time, at least one. */
  Incarnation(List<Event> events) {
    this.events = List.copyOf(events);
  }

  List<Event> events() {
    return events;
  }

  Event last() {
    return events.get(events.size() - 1);
  }

  /** Whether it closed its history. One that did not was killed, or runs on. */
  boolean ended() {
    return last().kind() == Kind.PROCESS_ENDED;
  }

  @Override
  public String toString() {
    return last().name() + " (process " + last().process() + ")";
  }
}
