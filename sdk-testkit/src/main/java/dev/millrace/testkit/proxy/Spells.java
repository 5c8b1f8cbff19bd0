package dev.millrace.testkit.proxy;

import dev.millrace.testkit.proxy.ProxyEvent.What;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Counts the bytes on which the line's faults had an effect, in one event for each kind and each
 * time the line changed.
 *
 * <p>Not thread-safe: the delivering thread's.
 */
final class Spells {
  private final Witness witness;
  private final String direction;
  private final Map<What, AtomicLong> counts = new EnumMap<>(What.class);
  private @Nullable LinkConditions during;

  Spells(Witness witness, Direction direction) {
    this.witness = witness;
    this.direction =
        direction == Direction.TO_BROKER ? "on the way to the broker" : "on the way to the client";
  }

  void count(What what, LinkConditions now, int bytes) {
    if (during != now) {
      counts.clear();
      during = now;
    }
    counts.computeIfAbsent(what, key -> witness.sees(key, direction)).addAndGet(bytes);
  }
}
