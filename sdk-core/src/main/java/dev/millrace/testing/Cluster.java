package dev.millrace.testing;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.internal.delivery.RetryTopics;
import dev.millrace.internal.time.SteppedClock;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.jspecify.annotations.Nullable;

/**
 * What brokers keep for one consumer: the logs of its topics, its group's commits, its dead
 * letters. It outlives the service's processes. One thread.
 */
final class Cluster {
  /** What is saved with a commit is believed only when leader epochs are known. */
  static final Optional<Integer> LEADER_EPOCH = Optional.of(0);

  private final ConsumerDefinition definition;
  private final int partitionsOfTopic;
  private final SteppedClock clock;
  private final Map<TopicPartition, List<ConsumerRecord<byte[], byte[]>>> logs =
      new LinkedHashMap<>();
  private final Map<TopicPartition, OffsetAndMetadata> committed = new HashMap<>();
  private final List<DeadLetter> deadLetters = new ArrayList<>();
  private int withoutKey;
  private int commitsToFail;
  private int deadLettersToFail;

  Cluster(ConsumerDefinition definition, int partitionsOfTopic, SteppedClock clock) {
    this.definition = definition;
    this.partitionsOfTopic = partitionsOfTopic;
    this.clock = clock;
    Set<String> topics = new LinkedHashSet<>(definition.topics());
    topics.addAll(new RetryTopics(definition).names());
    for (String topic : topics) {
      for (int i = 0; i < partitionsOfTopic; i++) {
        logs.put(new TopicPartition(topic, i), new ArrayList<>());
      }
    }
  }

  // Logs.

  Set<TopicPartition> partitions() {
    return new LinkedHashSet<>(logs.keySet());
  }

  /**
   * Appends a record, to the partition that a producer would choose unless it names one.
   *
   * @throws IllegalArgumentException when there is no such partition
   */
  RecordMetadata append(ProducerRecord<byte[], byte[]> sent) {
    TopicPartition partition = new TopicPartition(sent.topic(), partition(sent));
    List<ConsumerRecord<byte[], byte[]>> log = log(partition);
    long timestamp = sent.timestamp() == null ? clock.now().toEpochMilli() : sent.timestamp();
    ConsumerRecord<byte[], byte[]> record =
        record(
            partition,
            log.size(),
            timestamp,
            sent.key(),
            sent.value(),
            new RecordHeaders(sent.headers().toArray()));
    log.add(copy(record));
    return new RecordMetadata(
        partition,
        record.offset(),
        0,
        timestamp,
        record.serializedKeySize(),
        record.serializedValueSize());
  }

  private int partition(ProducerRecord<byte[], byte[]> sent) {
    if (sent.partition() != null) {
      return sent.partition();
    }
    return sent.key() == null
        ? withoutKey++ % partitionsOfTopic
        : BuiltInPartitioner.partitionForKey(sent.key(), partitionsOfTopic);
  }

  private List<ConsumerRecord<byte[], byte[]>> log(TopicPartition partition) {
    List<ConsumerRecord<byte[], byte[]>> log = logs.get(partition);
    if (log == null) {
      throw new IllegalArgumentException(
          "Consumer '%s' does not read %s; its topics are %s, here with %d partitions each."
              .formatted(definition.name(), partition, definition.topics(), partitionsOfTopic));
    }
    return log;
  }

  long end(TopicPartition partition) {
    return log(partition).size();
  }

  Map<TopicPartition, Long> ends(Collection<TopicPartition> partitions) {
    Map<TopicPartition, Long> ends = new HashMap<>();
    partitions.forEach(partition -> ends.put(partition, end(partition)));
    return ends;
  }

  /** Returns the first offset with a timestamp not before this one, or else the log's end. */
  long firstSince(TopicPartition partition, long timestamp) {
    return log(partition).stream()
        .filter(record -> record.timestamp() >= timestamp)
        .mapToLong(ConsumerRecord::offset)
        .findFirst()
        .orElseGet(() -> end(partition));
  }

  /** Returns fresh copies: what a handler does to a record must not come back with it. */
  List<ConsumerRecord<byte[], byte[]>> read(TopicPartition partition, long from, int most) {
    List<ConsumerRecord<byte[], byte[]>> log = log(partition);
    long to = Math.min(log.size(), from + most);
    return log.subList(Math.toIntExact(from), Math.toIntExact(to)).stream()
        .map(Cluster::copy)
        .toList();
  }

  private static ConsumerRecord<byte[], byte[]> copy(ConsumerRecord<byte[], byte[]> record) {
    return record(
        new TopicPartition(record.topic(), record.partition()),
        record.offset(),
        record.timestamp(),
        copy(record.key()),
        copy(record.value()),
        new RecordHeaders(record.headers().toArray()));
  }

  private static byte @Nullable [] copy(byte @Nullable [] bytes) {
    return bytes == null ? null : bytes.clone();
  }

  private static ConsumerRecord<byte[], byte[]> record(
      TopicPartition partition,
      long offset,
      long timestamp,
      byte @Nullable [] key,
      byte @Nullable [] value,
      RecordHeaders headers) {
    return new ConsumerRecord<>(
        partition.topic(),
        partition.partition(),
        offset,
        timestamp,
        TimestampType.CREATE_TIME,
        key == null ? ConsumerRecord.NULL_SIZE : key.length,
        value == null ? ConsumerRecord.NULL_SIZE : value.length,
        key,
        value,
        headers,
        LEADER_EPOCH);
  }

  // Commits.

  void failCommits(int count) {
    commitsToFail = count;
  }

  /** Returns whether the brokers have taken the commit. */
  boolean commit(Map<TopicPartition, OffsetAndMetadata> offsets) {
    if (commitsToFail > 0) {
      commitsToFail--;
      return false;
    }
    committed.putAll(offsets);
    return true;
  }

  /**
   * @throws IllegalArgumentException when there is no such partition
   */
  @Nullable OffsetAndMetadata committed(TopicPartition partition) {
    log(partition);
    return committed.get(partition);
  }

  // Dead letters.

  void failDeadLetters(int count) {
    deadLettersToFail = count;
  }

  /** Takes a dead letter, or a record for a retry topic. */
  CompletableFuture<RecordMetadata> sendFailed(ProducerRecord<byte[], byte[]> sent) {
    if (deadLettersToFail > 0) {
      deadLettersToFail--;
      return CompletableFuture.failedFuture(
          new TimeoutException("failed as the test wants it, by failDeadLetters"));
    }
    if (logs.containsKey(new TopicPartition(sent.topic(), 0))) {
      return CompletableFuture.completedFuture(append(sent));
    }
    deadLetters.add(new DeadLetter(sent));
    return CompletableFuture.completedFuture(
        new RecordMetadata(
            new TopicPartition(sent.topic(), 0),
            deadLetters.size() - 1L,
            0,
            clock.now().toEpochMilli(),
            0,
            0));
  }

  List<DeadLetter> deadLetters() {
    return List.copyOf(deadLetters);
  }
}
