package dev.millrace.testkit.proxy;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * What happened, in order. An effect that goes on, like a throttle's, has one entry whose numbers
 * grow, so the log's size depends on the faults and not on the traffic.
 *
 * <p>Thread-safe.
 */
final class EventLog {
  private final List<Supplier<ProxyEvent>> entries = new ArrayList<>();

  synchronized void add(Supplier<ProxyEvent> entry) {
    entries.add(entry);
  }

  /** The events as they stand now. */
  synchronized List<ProxyEvent> events() {
    return entries.stream().map(Supplier::get).toList();
  }
}
