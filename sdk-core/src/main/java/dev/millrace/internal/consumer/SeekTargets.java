package dev.millrace.internal.consumer;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * Finds out at which offset a seek ends. The brokers are asked before anything is changed: the
 * client itself would only find out in a later poll, and what it is to commit must be known now.
 * Confined to the poll thread.
 */
final class SeekTargets {
  /** Short against the poll's interval. */
  private static final Duration BOUND = Duration.ofSeconds(5);

  /** What is used of the Kafka consumer. */
  interface Client {
    Map<TopicPartition, Long> beginningOffsets(
        Collection<TopicPartition> partitions, Duration timeout);

    Map<TopicPartition, Long> endOffsets(Collection<TopicPartition> partitions, Duration timeout);

    Map<TopicPartition, @Nullable OffsetAndTimestamp> offsetsForTimes(
        Map<TopicPartition, Long> timestamps, Duration timeout);
  }

  private final Client client;

  SeekTargets(Client client) {
    this.client = client;
  }

  /**
   * Returns the offset, when the log has it. Beyond the log the partition would go on where {@code
   * on-missing-offset} says, without a word to the asker.
   */
  Map<TopicPartition, Long> offset(TopicPartition partition, long offset) {
    List<TopicPartition> one = List.of(partition);
    long first = requireNonNull(client.beginningOffsets(one, BOUND).get(partition));
    long end = requireNonNull(client.endOffsets(one, BOUND).get(partition));
    if (offset < first || offset > end) {
      throw new IllegalArgumentException(
          "%s can't be sought to %d: its log begins at %d and ends at %d."
              .formatted(partition, offset, first, end));
    }
    return Map.of(partition, offset);
  }

  Map<TopicPartition, Long> beginning(Collection<TopicPartition> partitions) {
    return client.beginningOffsets(partitions, BOUND);
  }

  Map<TopicPartition, Long> end(Collection<TopicPartition> partitions) {
    return client.endOffsets(partitions, BOUND);
  }

  Map<TopicPartition, Long> timestamp(Collection<TopicPartition> partitions, Instant timestamp) {
    Map<TopicPartition, Long> wanted = new HashMap<>();
    partitions.forEach(partition -> wanted.put(partition, timestamp.toEpochMilli()));
    // First the ends: a record that arrives in between must not be jumped over.
    Map<TopicPartition, Long> targets = new HashMap<>(client.endOffsets(partitions, BOUND));
    client
        .offsetsForTimes(wanted, BOUND)
        .forEach(
            (partition, found) -> {
              if (found != null) {
                targets.put(partition, found.offset());
              }
            });
    return targets;
  }
}
