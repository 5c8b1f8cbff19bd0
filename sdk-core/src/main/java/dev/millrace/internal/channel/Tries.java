package dev.millrace.internal.channel;

import org.jspecify.annotations.Nullable;

/**
 * How often a record has been tried, and since when. Immutable: all records of which no attempt has
 * failed share one.
 *
 * @param history what it has been through in the topics that it was in before; null when it was
 *     polled from its own
 * @param inPlace which attempt is running or comes next, from 1, counted from where it was polled
 * @param sinceNanos when the first one in place began, in the engine's time; means nothing before
 *     the second
 * @param failedInPlace when the first one in place failed, in milliseconds since the epoch; -1 when
 *     none has
 */
public record Tries(@Nullable History history, int inPlace, long sinceNanos, long failedInPlace) {
  private static final Tries NONE = new Tries(null, 1, 0, -1);

  static Tries after(@Nullable History history) {
    return history == null ? NONE : new Tries(history, 1, 0, -1);
  }

  /** Returns what holds when an attempt has failed. */
  Tries failed(long epochMillis) {
    return failedInPlace < 0 ? new Tries(history, inPlace, sinceNanos, epochMillis) : this;
  }

  /** Returns what holds when an attempt has failed, and another one is to follow in place. */
  Tries next(long firstBeganNanos, long epochMillis) {
    return new Tries(
        history, inPlace + 1, firstBeganNanos, failedInPlace < 0 ? epochMillis : failedInPlace);
  }

  /**
   * Returns when the first attempt in place began, in the engine's time.
   *
   * @param beganNanos when the present one did
   */
  public long since(long beganNanos) {
    return inPlace == 1 ? beganNanos : sinceNanos;
  }

  /** Returns which attempt it is; those made before, in other topics, are counted. */
  int number() {
    return history == null ? inPlace : history.attempts() + inPlace;
  }

  /** Returns which retry topic the record was polled from, from 1; 0 when it was its own topic. */
  int level() {
    return history == null ? 0 : history.level();
  }

  /**
   * Returns when the first attempt failed, in whichever topic, in milliseconds since the epoch; -1
   * when none has.
   */
  public long firstFailure() {
    return history == null || history.firstFailure() < 0 ? failedInPlace : history.firstFailure();
  }
}
