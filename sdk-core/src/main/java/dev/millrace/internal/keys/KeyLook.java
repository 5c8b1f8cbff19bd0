package dev.millrace.internal.keys;

import dev.millrace.internal.channel.LaneTags;
import dev.millrace.internal.delivery.RetryRecords;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * Looks into the retry topics: which keys have records there that may not have ended. One thread.
 *
 * <p>Invariant: all commits are asked for before all log ends, and the logs are read up to these.
 * So a record that went from one level to the next meanwhile is seen in one of them: if the commit
 * of the level that it left says so already, its new level had acknowledged it before.
 */
final class KeyLook {
  private final RetryLogs logs;
  private final RetryRecords records;
  private final LaneTags tags;
  private final int mostKeys;
  private final Map<TopicPartition, LaterRecords> read = new HashMap<>();

  // Of the look under way.
  private Map<TopicPartition, Long> committed = Map.of();
  private Map<TopicPartition, Long> ends = Map.of();
  private final Set<TopicPartition> readNow = new HashSet<>();

  /**
   * @param mostKeys how many are remembered of one partition of a retry topic
   */
  KeyLook(RetryLogs logs, RetryRecords records, LaneTags tags, int mostKeys) {
    this.logs = logs;
    this.records = records;
    this.tags = tags;
    this.mostKeys = mostKeys;
  }

  /**
   * Has each partition know its keys, and takes out those that have come back.
   *
   * @throws org.apache.kafka.common.KafkaException when the brokers don't tell; what is known stays
   */
  void look(List<OrderedPartition> partitions) {
    partitions.forEach(partition -> partition.keys().beginLook());
    Set<TopicPartition> present =
        logs.present(
            partitions.stream()
                .flatMap(partition -> partition.later().stream())
                .collect(Collectors.toSet()));
    committed = committed(present);
    ends = logs.ends(present);
    // A commit beyond the end is of a topic that was there before.
    committed.replaceAll(
        (partition, offset) -> offset > Objects.requireNonNull(ends.get(partition)) ? 0 : offset);
    readNow.clear();
    for (OrderedPartition partition : partitions) {
      if (partition.isKnown()) {
        takeOutThoseBack(partition);
      } else {
        getToKnow(partition);
      }
    }
    read.keySet().retainAll(stillNeeded(partitions));
  }

  /** Forgets all, when no key is ahead any more. */
  void rest() {
    read.clear();
    logs.rest();
  }

  /** What is done beyond a commit does not count: a skip may end a key's records out of order. */
  private Map<TopicPartition, Long> committed(Set<TopicPartition> present) {
    Map<TopicPartition, OffsetAndMetadata> told = logs.committed(present);
    Map<TopicPartition, Long> all = new HashMap<>();
    for (TopicPartition partition : present) {
      OffsetAndMetadata its = told.get(partition);
      all.put(partition, its == null ? 0 : its.offset());
    }
    return all;
  }

  private void getToKnow(OrderedPartition partition) {
    for (TopicPartition further : partition.further()) {
      LaterRecords there = read(further);
      if (there != null) {
        there.lastOffsets().keySet().forEach(tag -> partition.keys().found(tag, 0));
      }
    }
    LaterRecords next = read(partition.next());
    if (next != null) {
      next.lastOffsets().forEach((tag, offset) -> partition.keys().found(tag, offset + 1));
    }
    if (partition.later().stream().allMatch(this::isComplete)) {
      partition.known();
    }
  }

  private void takeOutThoseBack(OrderedPartition partition) {
    Long its = committed.get(partition.next());
    if (partition.keys().isEmpty()) {
      return;
    }
    if (its == null) { // It may be hidden only: what was sent there stays ahead.
      partition.keys().openDoors();
      return;
    }
    long end = Objects.requireNonNull(ends.get(partition.next()));
    if (partition.keys().anyPast(its, end)) {
      partition.further().forEach(this::read);
    }
    partition
        .keys()
        .look(
            its,
            end,
            tag -> partition.further().stream().anyMatch(further -> mayContain(further, tag)));
  }

  private boolean mayContain(TopicPartition partition, long tag) {
    return ends.containsKey(partition)
        && (!readNow.contains(partition)
            || Objects.requireNonNull(read.get(partition)).contains(tag));
  }

  private boolean isComplete(TopicPartition partition) {
    return !ends.containsKey(partition) || Objects.requireNonNull(read.get(partition)).isComplete();
  }

  /** Returns null when there is no such partition, and so nothing in it. */
  private @Nullable LaterRecords read(TopicPartition partition) {
    Long its = committed.get(partition);
    if (its == null) {
      return null;
    }
    LaterRecords there =
        read.computeIfAbsent(partition, first -> new LaterRecords(first, mostKeys));
    if (readNow.add(partition)) {
      there.read(its, Objects.requireNonNull(ends.get(partition)), logs, this::tag);
    }
    return there;
  }

  private @Nullable Long tag(ConsumerRecord<byte[], byte[]> polled) {
    ConsumerRecord<byte[], byte[]> origin = records.origin(polled);
    try {
      return tags.key(LaneTags.seed(origin.topic(), origin.partition()), origin);
    } catch (Throwable unknown) { // The service's own; such a record has no order.
      return null;
    }
  }

  private static Set<TopicPartition> stillNeeded(List<OrderedPartition> partitions) {
    Set<TopicPartition> needed = new HashSet<>();
    for (OrderedPartition partition : partitions) {
      if (!partition.isKnown()) {
        needed.addAll(partition.later());
      } else if (!partition.keys().isEmpty()) {
        needed.addAll(partition.further());
      }
    }
    return needed;
  }
}
