package dev.millrace.config;

import java.time.Duration;

/**
 * Where a consumer begins in a partition for which the group has no committed offset, or one that
 * the log does not have. The Kafka client's {@code auto.offset.reset}, but that the engine decides,
 * and says so when records are missed.
 *
 * @param start the place
 * @param back how far before now {@link Start#BY_DURATION} begins, 1 ms to 87600 h; else zero
 */
public record MissingOffset(Start start, Duration back) {

  /** The places. */
  public enum Start {
    /** The first record that the log has. The default, but in broadcast mode and at-most-once. */
    EARLIEST,
    /** The end: only what comes from then on. The default in broadcast mode and at-most-once. */
    LATEST,
    /** The first record that is not older than a duration, as KIP-1106 defines it. */
    BY_DURATION,
    /**
     * Nowhere: the consumer stops and says why. But a partition that is added while the group has
     * offsets of its topic, or of another that matches its pattern, is read from its start.
     */
    FAIL
  }

  /** A place that needs no duration. */
  public MissingOffset(Start start) {
    this(start, Duration.ZERO);
  }

  /** Returns it as it is written in a file. */
  @Override
  public String toString() {
    return Spelling.kebab(start) + (start == Start.BY_DURATION ? ":" + back : "");
  }
}
