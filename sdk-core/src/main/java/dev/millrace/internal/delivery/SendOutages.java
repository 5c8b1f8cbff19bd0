package dev.millrace.internal.delivery;

import java.util.List;
import java.util.stream.Stream;

/**
 * The outages of the topics that failed records go to, each by itself. Any thread.
 *
 * <p>Invariant: one ends only when the brokers have taken a record there, in a transaction when its
 * commit is acknowledged. That a topic is known says nothing: it may be forbidden to write to it.
 */
public final class SendOutages {
  private final List<DeadLetterOutage> byLevel;

  /**
   * @param levels how many retry topics there are beside the dead-letter topic
   */
  public SendOutages(int levels) {
    this.byLevel = Stream.generate(DeadLetterOutage::new).limit(levels + 1L).toList();
  }

  /**
   * A transaction could not hold what was sent to one of them.
   *
   * @param level the retry topic's, from 1; 0 for the dead-letter topic
   */
  public void refused(int level, Throwable failure, long nowNanos) {
    long unused = of(level).failed(nowNanos, failure);
  }

  /** A transaction is committed that has a record for it. */
  public void taken(int level) {
    of(level).succeeded();
  }

  /**
   * Returns a topic's own.
   *
   * @param level the retry topic's, from 1; 0 for the dead-letter topic
   */
  DeadLetterOutage of(int level) {
    return byLevel.get(level);
  }

  /** Returns how many sends have failed since the last that succeeded, to all of them. */
  public int failures() {
    return byLevel.stream().mapToInt(DeadLetterOutage::failures).sum();
  }

  /** Returns what the last of {@link #failures()} was; empty when there are none. */
  public String reason() {
    return byLevel.stream()
        .filter(outage -> outage.failures() > 0)
        .map(DeadLetterOutage::reason)
        .findFirst()
        .orElse("");
  }

  /** Returns when the first of {@link #failures()} was; of no meaning when there are none. */
  public long sinceNanos() {
    return byLevel.stream()
        .filter(outage -> outage.failures() > 0)
        .mapToLong(DeadLetterOutage::sinceNanos)
        .reduce((one, other) -> one - other < 0 ? one : other)
        .orElse(0);
  }
}
