package dev.millrace.internal.keys;

import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;

/** Retry topics as a test says that they are. */
public final class FakeRetryLogs implements RetryLogs {
  public final Map<TopicPartition, Long> committed = new ConcurrentHashMap<>();

  /** In the place of that, commits that say more than an offset. */
  public final Map<TopicPartition, OffsetAndMetadata> commits = new ConcurrentHashMap<>();

  public final Map<TopicPartition, Long> ends = new ConcurrentHashMap<>();
  public final List<ConsumerRecord<byte[], byte[]>> records = new CopyOnWriteArrayList<>();
  public final Set<TopicPartition> absent = ConcurrentHashMap.newKeySet();

  /** Those that nobody can be asked about. */
  public final Set<TopicPartition> silent = ConcurrentHashMap.newKeySet();

  public volatile boolean fails;
  public volatile boolean isBroken;
  public volatile boolean isOpen;

  /** What happens while they are asked. */
  public volatile Runnable meanwhile = () -> {};

  @Override
  public Set<TopicPartition> present(Set<TopicPartition> partitions) {
    meanwhile.run();
    isOpen = true;
    if (isBroken) {
      throw new IllegalStateException("a bug");
    }
    if (fails || !Collections.disjoint(silent, partitions)) {
      throw new TimeoutException("no broker");
    }
    Set<TopicPartition> present = new HashSet<>(partitions);
    present.removeAll(absent);
    return present;
  }

  @Override
  public Map<TopicPartition, OffsetAndMetadata> committed(Set<TopicPartition> partitions) {
    Map<TopicPartition, OffsetAndMetadata> found = new HashMap<>(commits);
    committed.forEach((partition, offset) -> found.put(partition, new OffsetAndMetadata(offset)));
    return found;
  }

  @Override
  public Map<TopicPartition, Long> ends(Set<TopicPartition> partitions) {
    Map<TopicPartition, Long> found = new HashMap<>();
    partitions.forEach(partition -> found.put(partition, ends.getOrDefault(partition, 0L)));
    return found;
  }

  @Override
  public long read(
      TopicPartition partition,
      long from,
      long to,
      Predicate<ConsumerRecord<byte[], byte[]>> reader) {
    for (ConsumerRecord<byte[], byte[]> record : records) {
      boolean within = record.offset() >= from && record.offset() < to;
      if (record.topic().equals(partition.topic()) && within && !reader.test(record)) {
        return record.offset() + 1;
      }
    }
    return to;
  }

  @Override
  public void rest() {
    isOpen = false;
  }

  @Override
  public void stop() {}
}
