package dev.millrace.config;

import java.time.Duration;
import java.util.List;

/**
 * The retry topics of a consumer: a record that has failed waits there, and holds nobody up.
 *
 * @param delays how long a record waits in each of them, from the first one on, each 1 ms to 24 h;
 *     empty when there are none
 * @param names how they are called: {@code {topic}}, {@code {group-id}} and {@code {n}}, from 1,
 *     stand for the record's own topic, the group and the level
 * @param create whether missing ones are created
 * @param keepKeyOrder whether later records of a key follow one that waits there, instead of
 *     overtaking it; only under {@link Ordering#KEY}, and not exactly-once
 */
public record RetryTopicsDefinition(
    List<Duration> delays, String names, boolean create, boolean keepKeyOrder) {
  /** The names that they have unless others are configured. */
  public static final String DEFAULT_NAMES = "{topic}.{group-id}.retry.{n}";

  /** All attempts are made in place. */
  public static final RetryTopicsDefinition NONE =
      new RetryTopicsDefinition(List.of(), DEFAULT_NAMES, true, false);

  public RetryTopicsDefinition {
    delays = List.copyOf(delays);
  }

  /** Retry topics in which later records of a key overtake one that waits. */
  public RetryTopicsDefinition(List<Duration> delays, String names, boolean create) {
    this(delays, names, create, false);
  }

  /** Returns the names with no topic that has one. */
  RetryTopicsDefinition unused() {
    return new RetryTopicsDefinition(List.of(), names, create);
  }

  /** Returns how many there are for each topic. */
  public int levels() {
    return delays.size();
  }

  /**
   * Returns a retry topic's name.
   *
   * @param level from 1
   */
  public String name(String topic, String group, int level) {
    // In one pass: what a topic or group is called must not be taken for a part to fill in.
    StringBuilder name = new StringBuilder();
    int at = 0;
    while (at < names.length()) {
      if (names.startsWith("{topic}", at)) {
        name.append(topic);
        at += "{topic}".length();
      } else if (names.startsWith("{group-id}", at)) {
        name.append(group);
        at += "{group-id}".length();
      } else if (names.startsWith("{n}", at)) {
        name.append(level);
        at += "{n}".length();
      } else {
        name.append(names.charAt(at++));
      }
    }
    return name.toString();
  }
}
