package dev.millrace.internal.consumer;

import dev.millrace.internal.offset.CompletedAhead;
import dev.millrace.internal.time.LogThrottle;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds out what earlier owners of a partition had done beyond the offset they committed. What
 * can't be found out is handled again, or asked for until it can. Confined to the poll thread.
 */
final class PreviousWork {
  private static final Logger LOG = LoggerFactory.getLogger(PreviousWork.class);

  /** Inside a poll: long enough for a coordinator that moves, short against the poll's interval. */
  private static final Duration BOUND = Duration.ofSeconds(5);

  /** What is used of the Kafka consumer. */
  interface Client {
    Map<TopicPartition, @Nullable OffsetAndMetadata> committed(
        Set<TopicPartition> partitions, Duration timeout);
  }

  /** What an earlier owner has left. */
  record Found(Optional<OffsetAndMetadata> committed, CompletedAhead done) {
    static final Found NOTHING = new Found(Optional.empty(), CompletedAhead.NONE);
  }

  private final String consumer;
  private final Client client;
  private final BooleanSupplier askAgain;
  private final LogThrottle log = new LogThrottle();

  /**
   * @param askAgain asked after each failure: whether to ask again instead of going on without
   */
  PreviousWork(String consumer, Client client, BooleanSupplier askAgain) {
    this.consumer = consumer;
    this.client = client;
    this.askAgain = askAgain;
  }

  /** Returns what was done, for those partitions of which something is known. */
  Map<TopicPartition, Found> of(Set<TopicPartition> partitions) {
    while (true) {
      try {
        return found(client.committed(partitions, BOUND));
      } catch (KafkaException e) {
        boolean again = askAgain.getAsBoolean();
        String end = log.permit();
        if (end != null) {
          LOG.warn(
              "Consumer '{}' can't learn what was done beyond the committed offsets of {}; {}: {}{}",
              consumer,
              partitions,
              again ? "it asks again" : "those records are handled again",
              e.toString(),
              end);
        }
        if (!again) {
          return Map.of();
        }
      }
    }
  }

  private Map<TopicPartition, Found> found(
      Map<TopicPartition, @Nullable OffsetAndMetadata> offsets) {
    Map<TopicPartition, Found> known = new HashMap<>();
    offsets.forEach(
        (partition, committed) -> {
          if (committed != null) {
            known.put(partition, new Found(Optional.of(committed), read(partition, committed)));
          }
        });
    return known;
  }

  private CompletedAhead read(TopicPartition partition, OffsetAndMetadata committed) {
    Optional<CompletedAhead> read = CompletedAhead.read(partition, committed);
    if (read.isEmpty()) {
      LOG.warn(
          "Consumer '{}' does not trust what was saved with the committed offset {} of {}; records"
              + " done beyond it are handled again.",
          consumer,
          committed.offset(),
          partition);
    }
    return read.orElse(CompletedAhead.NONE);
  }
}
