package dev.millrace.testkit.probe;

import dev.millrace.testkit.TestKitException;
import dev.millrace.testkit.internal.Poll;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;

/**
 * Looks at what is in a topic, from its first record to its end, without a group.
 *
 * <p>Thread-safe: each call reads with a consumer of its own.
 */
public final class TopicProbe {
  private static final Comparator<ConsumerRecord<byte[], byte[]>> BY_PLACE =
      Comparator.<ConsumerRecord<byte[], byte[]>>comparingInt(ConsumerRecord::partition)
          .thenComparingLong(ConsumerRecord::offset);

  private final String bootstrapServers;
  private final String topic;
  private final IsolationLevel isolation;

  private TopicProbe(String bootstrapServers, String topic, IsolationLevel isolation) {
    this.bootstrapServers = bootstrapServers;
    this.topic = topic;
    this.isolation = isolation;
  }

  /**
   * Returns a probe that sees what is committed: no aborted record, none of an open transaction.
   */
  public static TopicProbe of(String bootstrapServers, String topic) {
    return of(bootstrapServers, topic, IsolationLevel.READ_COMMITTED);
  }

  /** Returns a probe of the given isolation; {@code READ_UNCOMMITTED} sees aborted records too. */
  public static TopicProbe of(String bootstrapServers, String topic, IsolationLevel isolation) {
    return new TopicProbe(bootstrapServers, topic, isolation);
  }

  /**
   * Returns the records up to the end offsets of this moment, by partition and offset. Empty when
   * there is no such topic.
   *
   * @throws TestKitException if they cannot be read within 30 s
   */
  public List<ConsumerRecord<byte[], byte[]>> readAll() {
    try (RangeReader reader = new RangeReader(bootstrapServers, isolation)) {
      return sorted(new Reading(reader).readOn());
    }
  }

  /**
   * Waits until the topic holds at least {@code count} records and returns all it holds then, by
   * partition and offset. The topic may come into being while waiting.
   *
   * @throws AssertionError if there are fewer after {@code timeout}, with the numbers per partition
   */
  public List<ConsumerRecord<byte[], byte[]>> awaitCount(int count, Duration timeout) {
    try (RangeReader reader = new RangeReader(bootstrapServers, isolation)) {
      Reading reading = new Reading(reader);
      List<ConsumerRecord<byte[], byte[]>> records =
          Poll.until(timeout, reading::readOn, read -> read.size() >= count);
      if (records.size() < count) {
        throw new AssertionError(
            "Topic %s holds %d records and not %d after %s; records per partition %s, ends %s"
                .formatted(topic, records.size(), count, timeout, perPartition(records), reading));
      }
      return sorted(records);
    }
  }

  private static List<ConsumerRecord<byte[], byte[]>> sorted(
      List<ConsumerRecord<byte[], byte[]>> records) {
    return records.stream().sorted(BY_PLACE).toList();
  }

  private static Map<Integer, Long> perPartition(List<ConsumerRecord<byte[], byte[]>> records) {
    return records.stream()
        .collect(
            Collectors.groupingBy(ConsumerRecord::partition, TreeMap::new, Collectors.counting()));
  }

  /** One pass through the topic that goes on where it stood. */
  private final class Reading {
    private final RangeReader reader;
    private final List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
    private final Map<TopicPartition, Long> next = new HashMap<>();

    Reading(RangeReader reader) {
      this.reader = reader;
    }

    /** Reads what has come since and returns all there is. */
    List<ConsumerRecord<byte[], byte[]>> readOn() {
      List<OffsetRange> unread =
          reader.whole(topic).stream()
              .map(range -> range.startingAt(next.getOrDefault(range.partition(), range.from())))
              .toList();
      records.addAll(reader.read(unread));
      unread.forEach(range -> next.put(range.partition(), range.to()));
      return records;
    }

    @Override
    public String toString() {
      Map<Integer, Long> ends = new TreeMap<>();
      next.forEach((partition, end) -> ends.put(partition.partition(), end));
      return ends.toString();
    }
  }
}
