package dev.millrace.internal.keys;

import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Asks by a Kafka client of its own, which is no member of the group, and open while it is used.
 */
public final class ClientRetryLogs implements RetryLogs {
  private static final Duration BOUND = Duration.ofSeconds(5);
  private static final Duration POLL = Duration.ofMillis(200);

  private final Supplier<Consumer<byte[], byte[]>> maker;
  private volatile @Nullable Consumer<byte[], byte[]> client;

  /**
   * @param maker makes a client that knows the group and goes on at the beginning of a log that
   *     does not have an offset
   */
  public ClientRetryLogs(Supplier<Consumer<byte[], byte[]>> maker) {
    this.maker = maker;
  }

  private Consumer<byte[], byte[]> client() {
    Consumer<byte[], byte[]> open = client;
    if (open == null) {
      open = maker.get();
      client = open;
    }
    return open;
  }

  @Override
  public Set<TopicPartition> present(Set<TopicPartition> partitions) {
    Map<String, Integer> counts = new HashMap<>();
    Set<TopicPartition> present = new HashSet<>();
    for (TopicPartition partition : partitions) {
      int count = counts.computeIfAbsent(partition.topic(), this::count);
      if (partition.partition() < count) {
        present.add(partition);
      }
    }
    return present;
  }

  private int count(String topic) {
    return client().partitionsFor(topic, BOUND).stream()
            .mapToInt(PartitionInfo::partition)
            .max()
            .orElse(-1)
        + 1;
  }

  @Override
  public Map<TopicPartition, OffsetAndMetadata> committed(Set<TopicPartition> partitions) {
    Map<TopicPartition, OffsetAndMetadata> committed = new HashMap<>();
    client()
        .committed(partitions, BOUND)
        .forEach(
            (partition, offset) -> {
              if (offset != null) {
                committed.put(partition, offset);
              }
            });
    return committed;
  }

  @Override
  public Map<TopicPartition, Long> ends(Set<TopicPartition> partitions) {
    return client().endOffsets(partitions, BOUND);
  }

  @Override
  public long read(
      TopicPartition partition,
      long from,
      long to,
      Predicate<ConsumerRecord<byte[], byte[]>> reader) {
    Consumer<byte[], byte[]> reading = client();
    reading.assign(Set.of(partition));
    reading.seek(partition, from);
    long at = from;
    long deadline = System.nanoTime() + BOUND.toNanos();
    while (at < to) {
      for (ConsumerRecord<byte[], byte[]> record : reading.poll(POLL)) {
        if (record.offset() >= to) {
          return to;
        }
        at = record.offset() + 1;
        if (!reader.test(record)) {
          return at;
        }
      }
      long next = reading.position(partition, BOUND);
      if (next > at) { // Markers, or what compaction has left, too.
        at = next;
        deadline = System.nanoTime() + BOUND.toNanos();
      } else if (System.nanoTime() - deadline > 0) {
        throw new TimeoutException(
            "Nothing of %s has come from offset %d on, for %s".formatted(partition, at, BOUND));
      }
    }
    return at;
  }

  @Override
  public void rest() {
    Consumer<byte[], byte[]> open = client;
    client = null;
    if (open != null) {
      open.close(CloseOptions.timeout(BOUND));
    }
  }

  @Override
  public void stop() {
    Consumer<byte[], byte[]> open = client;
    if (open != null) {
      open.wakeup();
    }
  }
}
