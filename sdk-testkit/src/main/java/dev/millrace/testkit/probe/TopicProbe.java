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
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
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

  private final ProbeClients clients;
  private final String topic;
  private final IsolationLevel isolation;

  private TopicProbe(ProbeClients clients, String topic, IsolationLevel isolation) {
    this.clients = clients;
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
    return new TopicProbe(ProbeClients.of(bootstrapServers), topic, isolation);
  }

  /**
   * Returns a probe of the given isolation that connects as these properties say: {@code
   * bootstrap.servers}, and what a secured Kafka needs.
   *
   * @throws IllegalArgumentException if {@code bootstrap.servers} is not among them
   */
  public static TopicProbe of(
      Map<String, Object> clientProperties, String topic, IsolationLevel isolation) {
    return new TopicProbe(ProbeClients.of(clientProperties), topic, isolation);
  }

  /**
   * Returns the records up to the end offsets of this moment, by partition and offset. Empty when
   * there is no such topic.
   *
   * @throws TestKitException if they cannot be read within 30 s
   */
  public List<ConsumerRecord<byte[], byte[]>> readAll() {
    try (RangeReader reader = clients.reader(isolation)) {
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
    try (RangeReader reader = clients.reader(isolation)) {
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

  /**
   * Waits until the topic's records are as wanted and returns all it holds then, by partition and
   * offset. The topic may come into being while waiting.
   *
   * @param what what is waited for, for the message
   * @param wanted sees all records read so far, the partitions mixed
   * @throws AssertionError if they are not after {@code timeout}, with the numbers per partition
   */
  public List<ConsumerRecord<byte[], byte[]>> await(
      String what, Predicate<List<ConsumerRecord<byte[], byte[]>>> wanted, Duration timeout) {
    try (RangeReader reader = clients.reader(isolation)) {
      Reading reading = new Reading(reader);
      List<ConsumerRecord<byte[], byte[]>> records = Poll.until(timeout, reading::readOn, wanted);
      if (!wanted.test(records)) {
        throw new AssertionError(
            "Topic %s does not hold %s after %s; records per partition %s, ends %s"
                .formatted(topic, what, timeout, perPartition(records), reading));
      }
      return sorted(records);
    }
  }

  /**
   * Returns where each partition begins and ends, whatever the probe's isolation. Empty when there
   * is no such topic.
   *
   * @throws TestKitException if the brokers do not answer
   */
  public Map<TopicPartition, Offsets> offsets() {
    try (RangeReader stable = clients.reader(IsolationLevel.READ_COMMITTED);
        RangeReader all = clients.reader(IsolationLevel.READ_UNCOMMITTED)) {
      Map<TopicPartition, OffsetRange> ranges = new HashMap<>();
      all.whole(topic).forEach(range -> ranges.put(range.partition(), range));
      Map<TopicPartition, Offsets> offsets = new HashMap<>();
      for (OffsetRange range : stable.whole(topic)) {
        OffsetRange whole = ranges.getOrDefault(range.partition(), range);
        offsets.put(range.partition(), new Offsets(whole.from(), range.to(), whole.to()));
      }
      return Map.copyOf(offsets);
    }
  }

  /**
   * Returns the transactions that have written to the topic and are neither committed nor aborted,
   * as far as their coordinators know. One they have forgotten shows in {@link #offsets()} alone:
   * its partition's last stable offset stays behind.
   *
   * @throws TestKitException if the brokers do not answer
   */
  public List<OpenTransaction> openTransactions() {
    try (Admin admin = clients.admin()) {
      return new Transactions(admin).openIn(topic);
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
