package dev.millrace.testkit.guarantee;

import dev.millrace.testkit.history.Event;
import dev.millrace.testkit.history.RecordAt;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A record in the hands of one incarnation, from the start of its first attempt to the end of its
 * last; attempts in place are one delivery.
 *
 * @param start the first attempt's start; its end where no start was recorded
 * @param last the last attempt's start
 * @param end the last attempt's end; null when it has none
 */
record Delivery(Incarnation incarnation, Event start, Event last, @Nullable Event end) {

  static RecordAt record(Event event) {
    return Objects.requireNonNull(event.record(), "only events of records");
  }

  Place place() {
    return new Place(record(start).partition(), record(start).offset());
  }

  @Nullable String key() {
    return record(start).key();
  }

  /** Whether it has its end, and needs no other. */
  boolean done() {
    return end != null && record(end).isFinal();
  }

  /** Whether it may have had its effect: it is done, or nobody knows how it went. */
  boolean mayHaveHappened() {
    return end == null || done();
  }
}
