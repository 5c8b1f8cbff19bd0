package dev.millrace.internal.consumer;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * Tells partitions that have come to be since the group began from those of a group that never was
 * or whose offsets are lost: the group has offsets beside them. Confined to the poll thread.
 *
 * <p>Beside a partition are those of its topic; where topics come by themselves, because they match
 * a pattern, all that match. No member has to remember anything, so all of them judge alike.
 */
final class AddedPartitions {
  /** Short against the poll's interval. */
  private static final Duration BOUND = Duration.ofSeconds(5);

  /** What is used of the Kafka consumer. */
  interface Client {
    /** Returns the topics that it has been told to read, or that it found by its pattern. */
    Set<String> topics();

    List<TopicPartition> partitionsOf(String topic, Duration timeout);

    Map<TopicPartition, @Nullable OffsetAndMetadata> committed(
        Set<TopicPartition> partitions, Duration timeout);
  }

  private final Client client;
  private final boolean byPattern;

  /**
   * @param byPattern whether the consumer finds its topics by a pattern
   */
  AddedPartitions(Client client, boolean byPattern) {
    this.client = client;
    this.byPattern = byPattern;
  }

  /** Returns those of the partitions, none of which has an offset, that are not added ones. */
  List<TopicPartition> notAdded(Collection<TopicPartition> withoutOffset) {
    List<TopicPartition> notAdded = new ArrayList<>();
    for (TopicPartition partition : withoutOffset) {
      if (!hasOffsetBeside(partition)) {
        notAdded.add(partition);
      }
    }
    return notAdded;
  }

  private boolean hasOffsetBeside(TopicPartition partition) {
    Set<TopicPartition> beside = new HashSet<>();
    for (String topic : byPattern ? client.topics() : Set.of(partition.topic())) {
      beside.addAll(client.partitionsOf(topic, BOUND));
    }
    return client.committed(beside, BOUND).values().stream().anyMatch(Objects::nonNull);
  }
}
