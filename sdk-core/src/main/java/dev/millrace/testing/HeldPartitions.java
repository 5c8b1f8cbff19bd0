package dev.millrace.testing;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.NoOffsetForPartitionException;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/** The partitions that a member of a group holds, and how far it has read each. One thread. */
final class HeldPartitions {
  private final Cluster cluster;
  private final int maxPollRecords;
  private final Set<TopicPartition> names = new LinkedHashSet<>();
  private final Set<TopicPartition> paused = new HashSet<>();
  private final Map<TopicPartition, Long> positions = new HashMap<>();

  HeldPartitions(Cluster cluster, int maxPollRecords) {
    this.cluster = cluster;
    this.maxPollRecords = maxPollRecords;
  }

  /** Returns which they are, at this moment. */
  List<TopicPartition> names() {
    return List.copyOf(names);
  }

  boolean contains(TopicPartition partition) {
    return names.contains(partition);
  }

  void add(Collection<TopicPartition> coming) {
    names.addAll(coming);
  }

  /** Whoever gets one of them again begins at its commit, and not paused. */
  void remove(Collection<TopicPartition> gone) {
    names.removeAll(gone);
    paused.removeAll(gone);
    positions.keySet().removeAll(gone);
  }

  void seek(TopicPartition partition, long offset) {
    positions.put(partition, offset);
  }

  void pause(Collection<TopicPartition> partitions) {
    paused.addAll(partitions);
  }

  void resume(Collection<TopicPartition> partitions) {
    paused.removeAll(partitions);
  }

  OptionalLong lag(TopicPartition partition) {
    Long position = positions.get(partition);
    return position == null
        ? OptionalLong.empty()
        : OptionalLong.of(cluster.end(partition) - position);
  }

  /**
   * Returns the next records of those that are not paused.
   *
   * @throws NoOffsetForPartitionException where the group has committed nothing, and nobody sought
   */
  ConsumerRecords<byte[], byte[]> fetch() {
    findPositions();
    int room = maxPollRecords;
    Map<TopicPartition, List<ConsumerRecord<byte[], byte[]>>> records = new LinkedHashMap<>();
    Map<TopicPartition, OffsetAndMetadata> positionsAfter = new LinkedHashMap<>();
    for (TopicPartition partition : names) {
      if (paused.contains(partition)) {
        continue;
      }
      long position = requireNonNull(positions.get(partition));
      List<ConsumerRecord<byte[], byte[]>> batch = cluster.read(partition, position, room);
      if (!batch.isEmpty()) {
        long after = position + batch.size();
        room -= batch.size();
        records.put(partition, batch);
        positions.put(partition, after);
        positionsAfter.put(partition, new OffsetAndMetadata(after, Cluster.LEADER_EPOCH, ""));
      }
    }
    return new ConsumerRecords<>(records, positionsAfter);
  }

  /** As the real client does before it fetches. */
  private void findPositions() {
    List<TopicPartition> without = new ArrayList<>();
    for (TopicPartition partition : names) {
      OffsetAndMetadata committed = cluster.committed(partition);
      if (positions.containsKey(partition)) {
        continue;
      }
      if (committed != null) {
        positions.put(partition, committed.offset());
      } else {
        without.add(partition);
      }
    }
    if (!without.isEmpty()) {
      throw new NoOffsetForPartitionException(without);
    }
  }
}
