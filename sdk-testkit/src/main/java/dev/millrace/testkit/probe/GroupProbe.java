package dev.millrace.testkit.probe;

import dev.millrace.testkit.TestKitException;
import dev.millrace.testkit.internal.Answer;
import dev.millrace.testkit.internal.Poll;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;

/**
 * Looks at how far a consumer group has come in its topics, from outside and without joining it.
 *
 * <p>Thread-safe: each call uses clients of its own.
 */
public final class GroupProbe {
  /** Up to this many offsets the records are counted one by one. */
  private static final long COUNT_UP_TO = 1_000;

  private static final Comparator<TopicPartition> BY_NAME =
      Comparator.comparing(TopicPartition::topic).thenComparingInt(TopicPartition::partition);

  private final ProbeClients clients;
  private final String groupId;
  private final List<String> topics;

  private GroupProbe(ProbeClients clients, String groupId, List<String> topics) {
    this.clients = clients;
    this.groupId = groupId;
    this.topics = topics;
  }

  /**
   * Returns a probe of a group.
   *
   * @param topics the topics the group is to read; they must be given because a partition the group
   *     never committed would not show otherwise
   */
  public static GroupProbe of(String bootstrapServers, String groupId, String... topics) {
    return of(ProbeClients.of(bootstrapServers), groupId, topics);
  }

  /**
   * Returns a probe of a group that connects as these properties say: {@code bootstrap.servers},
   * and what a secured Kafka needs.
   *
   * @throws IllegalArgumentException if {@code bootstrap.servers} is not among them, or no topic is
   *     named
   */
  public static GroupProbe of(
      Map<String, Object> clientProperties, String groupId, String... topics) {
    return of(ProbeClients.of(clientProperties), groupId, topics);
  }

  private static GroupProbe of(ProbeClients clients, String groupId, String... topics) {
    if (topics.length == 0) {
      throw new IllegalArgumentException("Name the topics that group " + groupId + " reads");
    }
    return new GroupProbe(clients, groupId, List.of(topics));
  }

  /**
   * Returns what the group has committed, by partition, whatever the topic; empty for a group that
   * never committed.
   *
   * @throws TestKitException if the brokers do not answer
   */
  public Map<TopicPartition, OffsetAndMetadata> committed() {
    try (Look look = new Look()) {
      return look.committed();
    }
  }

  /**
   * Returns, for every partition of the topics, how many records the group still has before it:
   * committed records at or after its offset, or all there are where it has none. Markers of
   * transactions and aborted records do not count; beyond 1,000 offsets they may.
   *
   * @throws TestKitException if the brokers do not answer
   */
  public Map<TopicPartition, Long> lag() {
    try (Look look = new Look()) {
      return look.lag();
    }
  }

  /**
   * Waits until no partition of the topics has a lag.
   *
   * @throws AssertionError if one still has after {@code timeout}, with the numbers per partition,
   *     or if none of the topics exists
   */
  public void awaitLagZero(Duration timeout) {
    try (Look look = new Look()) {
      Map<TopicPartition, Long> lag = Poll.until(timeout, look::lag, GroupProbe::isZero);
      if (!isZero(lag)) {
        throw new AssertionError(
            "Group %s has not come to the end of %s after %s; lag %s, committed %s"
                .formatted(groupId, topics, timeout, lag, look.committed()));
      }
    }
  }

  /**
   * Waits until the group has committed what is wanted.
   *
   * @param what what is waited for, for the message
   * @param wanted sees what {@link #committed()} returns
   * @return what was committed then
   * @throws AssertionError if it has not after {@code timeout}, with what it has
   */
  public Map<TopicPartition, OffsetAndMetadata> awaitCommitted(
      String what, Predicate<Map<TopicPartition, OffsetAndMetadata>> wanted, Duration timeout) {
    try (Look look = new Look()) {
      Map<TopicPartition, OffsetAndMetadata> seen = Poll.until(timeout, look::committed, wanted);
      if (!wanted.test(seen)) {
        throw new AssertionError(
            "Group %s has not committed %s after %s; committed %s"
                .formatted(groupId, what, timeout, seen));
      }
      return seen;
    }
  }

  /**
   * Returns every commit of the group in the order of the broker's log, whatever the topic: those
   * of open and aborted transactions too, and tombstones. Empty for a group that never committed.
   *
   * <p>It reads {@code __consumer_offsets}, which is compacted: where the cleaner has been, only
   * the last commit of a partition is sure to be left, and of the others some. A test's broker does
   * not come to it unless told to, since the cleaner leaves the active segment alone.
   *
   * @throws TestKitException if the brokers do not answer
   */
  public List<Commit> commits() {
    try (Admin admin = clients.admin();
        BatchReader batches = clients.batches()) {
      return new OffsetsTopic(admin, batches).commits(groupId);
    }
  }

  private static boolean isZero(Map<TopicPartition, Long> lag) {
    return !lag.isEmpty() && lag.values().stream().allMatch(records -> records == 0);
  }

  /** The clients of one call. */
  private final class Look implements AutoCloseable {
    private final RangeReader reader;
    private final Admin admin;

    Look() {
      reader = clients.reader(IsolationLevel.READ_COMMITTED);
      try {
        admin = clients.admin();
      } catch (RuntimeException e) {
        reader.close();
        throw e;
      }
    }

    Map<TopicPartition, OffsetAndMetadata> committed() {
      return Answer.to(
          "list the offsets of group " + groupId,
          admin.listConsumerGroupOffsets(groupId).partitionsToOffsetAndMetadata());
    }

    Map<TopicPartition, Long> lag() {
      Map<TopicPartition, OffsetAndMetadata> committed = committed();
      Map<TopicPartition, Long> lag = new TreeMap<>(BY_NAME);
      List<OffsetRange> toCount = new ArrayList<>();
      for (OffsetRange whole : topics.stream().flatMap(t -> reader.whole(t).stream()).toList()) {
        OffsetAndMetadata offset = committed.get(whole.partition());
        OffsetRange left = offset == null ? whole : whole.startingAt(offset.offset());
        if (left.to() - left.from() > COUNT_UP_TO) {
          lag.put(left.partition(), left.to() - left.from());
        } else {
          lag.put(left.partition(), 0L);
          toCount.add(left);
        }
      }
      for (ConsumerRecord<byte[], byte[]> record : reader.read(toCount)) {
        lag.merge(new TopicPartition(record.topic(), record.partition()), 1L, Long::sum);
      }
      return lag;
    }

    @Override
    public void close() {
      reader.close();
      admin.close();
    }
  }
}
