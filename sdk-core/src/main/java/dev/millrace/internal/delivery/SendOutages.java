package dev.millrace.internal.delivery;

import dev.millrace.consumer.ConsumerExplanation.Outage;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The outages of the topics that failed records go to, each topic's by itself. Any thread.
 *
 * <p>Invariant: one ends only when the brokers have taken a record there, in a transaction when its
 * commit is acknowledged. That a topic is known says nothing: it may be forbidden to write to it.
 */
public final class SendOutages {
  /** Those that have ended stay, at most one for a topic. */
  private final Map<String, DeadLetterOutage> byTopic = new ConcurrentHashMap<>();

  /** Returns 0 when a record may be sent there now, else how long it waits before it asks again. */
  long waitNanos(String topic, long nowNanos) {
    DeadLetterOutage outage = byTopic.get(topic);
    return outage == null ? 0 : outage.waitNanos(nowNanos);
  }

  /** Returns whether the last send there has failed. */
  boolean isOut(String topic) {
    DeadLetterOutage outage = byTopic.get(topic);
    return outage != null && outage.failures() > 0;
  }

  /** Notes a send that has failed, or that no transaction could hold; returns how long to wait. */
  public long failed(String topic, Throwable failure, long nowNanos) {
    return byTopic
        .computeIfAbsent(topic, first -> new DeadLetterOutage())
        .failed(nowNanos, failure);
  }

  /** The brokers have taken a record there; in a transaction, it is committed. */
  public void taken(String topic) {
    DeadLetterOutage outage = byTopic.get(topic);
    if (outage != null) {
      outage.succeeded();
    }
  }

  /** Returns what goes on, as one; empty when all can be written for all that is known. */
  public Optional<Outage> explain(long nowNanos) {
    Map<String, DeadLetterOutage> open = new TreeMap<>(byTopic);
    open.values().removeIf(outage -> !outage.isWaitedFor(nowNanos));
    return open.values().stream()
        .reduce((one, other) -> one.sinceNanos() - other.sinceNanos() <= 0 ? one : other)
        .map(
            longest ->
                new Outage(
                    List.copyOf(open.keySet()),
                    Duration.ofNanos(nowNanos - longest.sinceNanos()),
                    open.values().stream().mapToInt(DeadLetterOutage::failures).sum(),
                    longest.reason()));
  }
}
