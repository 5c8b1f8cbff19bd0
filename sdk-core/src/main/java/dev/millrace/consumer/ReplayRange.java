package dev.millrace.consumer;

import java.time.Instant;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link Replay} reads: no more than was there when it was asked for, and no more than the
 * log still has.
 */
public sealed interface ReplayRange {

  /** Returns the range of all records that the consumer's topics have now. */
  static ReplayRange everything() {
    return new Times(null, null);
  }

  /** Returns the range from the first record that is not older than this to the present end. */
  static ReplayRange since(Instant from) {
    return new Times(from, null);
  }

  /**
   * Returns the range from the first record that is not older than {@code from} to the one before
   * the first that is not older than {@code to}. Where producers set timestamps that are not in
   * order, some between these two may lie outside.
   *
   * @param to not before {@code from}
   * @throws IllegalArgumentException when it is
   */
  static ReplayRange between(Instant from, Instant to) {
    return new Times(from, to);
  }

  /** Returns the range of these offsets. */
  static ReplayRange of(Map<TopicPartition, Offsets> partitions) {
    return new Partitions(partitions);
  }

  /**
   * By timestamps, of all partitions.
   *
   * @param from the first, not before 1970; null for the beginning
   * @param to the first that is not read any more; null for the present end
   */
  record Times(@Nullable Instant from, @Nullable Instant to) implements ReplayRange {

    /**
     * Checks the order.
     *
     * @throws IllegalArgumentException when the range ends before it begins, or begins before 1970
     */
    public Times {
      if (from != null && from.isBefore(Instant.EPOCH)) {
        throw new IllegalArgumentException(
            "A replay can't begin at %s: timestamps begin at %s.".formatted(from, Instant.EPOCH));
      }
      if (from != null && to != null && to.isBefore(from)) {
        throw new IllegalArgumentException(
            "A replay can't end at %s, before it begins at %s.".formatted(to, from));
      }
    }
  }

  /**
   * By offsets, of these partitions only.
   *
   * @param offsets of partitions that the consumer reads
   */
  record Partitions(Map<TopicPartition, Offsets> offsets) implements ReplayRange {
    public Partitions {
      offsets = Map.copyOf(offsets);
    }
  }

  /**
   * A part of a partition.
   *
   * @param from the first offset, from 0
   * @param to the first offset that is not read any more, not below {@code from}
   */
  record Offsets(long from, long to) {

    /**
     * Checks the order.
     *
     * @throws IllegalArgumentException when the part ends before it begins, or begins below 0
     */
    public Offsets {
      if (from < 0 || to < from) {
        throw new IllegalArgumentException(
            "A replay can't read from offset %d up to %d.".formatted(from, to));
      }
    }
  }
}
