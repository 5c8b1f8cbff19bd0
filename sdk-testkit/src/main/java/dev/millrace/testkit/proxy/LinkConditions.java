package dev.millrace.testkit.proxy;

import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the line between the clients and the broker is like. Immutable; compared by identity, so
 * that a fault switched off and on again counts as two.
 */
final class LinkConditions {
  static final LinkConditions HEALTHY =
      new LinkConditions(false, EnumSet.allOf(Direction.class), null, Map.of());

  private final boolean refusing;
  private final Set<Direction> delivering;
  private final @Nullable Latency latency;
  private final Map<Direction, Throttle> throttles;

  private LinkConditions(
      boolean refusing,
      Set<Direction> delivering,
      @Nullable Latency latency,
      Map<Direction, Throttle> throttles) {
    this.refusing = refusing;
    this.delivering = delivering;
    this.latency = latency;
    this.throttles = throttles;
  }

  boolean refusing() {
    return refusing;
  }

  boolean delivers(Direction direction) {
    return delivering.contains(direction);
  }

  @Nullable Latency latency() {
    return latency;
  }

  @Nullable Throttle throttle(Direction direction) {
    return throttles.get(direction);
  }

  LinkConditions refusing(boolean now) {
    return new LinkConditions(now, delivering, latency, throttles);
  }

  LinkConditions delivering(Set<Direction> now) {
    return new LinkConditions(refusing, now, latency, throttles);
  }

  LinkConditions latency(@Nullable Latency now) {
    return new LinkConditions(refusing, delivering, now, throttles);
  }

  LinkConditions throttle(Direction direction, Throttle throttle) {
    Map<Direction, Throttle> all = new EnumMap<>(Direction.class);
    all.putAll(throttles);
    all.put(direction, throttle);
    return new LinkConditions(refusing, delivering, latency, all);
  }

  LinkConditions unthrottled() {
    return new LinkConditions(refusing, delivering, latency, Map.of());
  }
}
