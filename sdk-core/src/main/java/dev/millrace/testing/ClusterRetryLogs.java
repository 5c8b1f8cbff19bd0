package dev.millrace.testing;

import dev.millrace.internal.keys.RetryLogs;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/** What a cluster in memory tells of retry topics. One thread. */
record ClusterRetryLogs(Cluster cluster) implements RetryLogs {

  @Override
  public Set<TopicPartition> present(Set<TopicPartition> partitions) {
    Set<TopicPartition> present = new HashSet<>(partitions);
    present.retainAll(cluster.partitions());
    return present;
  }

  @Override
  public Map<TopicPartition, OffsetAndMetadata> committed(Set<TopicPartition> partitions) {
    Map<TopicPartition, OffsetAndMetadata> committed = new HashMap<>();
    for (TopicPartition partition : partitions) {
      OffsetAndMetadata its = cluster.committed(partition);
      if (its != null) {
        committed.put(partition, its);
      }
    }
    return committed;
  }

  @Override
  public Map<TopicPartition, Long> ends(Set<TopicPartition> partitions) {
    return cluster.ends(partitions);
  }

  @Override
  public long read(
      TopicPartition partition,
      long from,
      long to,
      Predicate<ConsumerRecord<byte[], byte[]>> reader) {
    for (ConsumerRecord<byte[], byte[]> record :
        cluster.read(partition, from, Math.toIntExact(to - from))) {
      if (!reader.test(record)) {
        return record.offset() + 1;
      }
    }
    return to;
  }

  @Override
  public void rest() {}

  @Override
  public void stop() {}
}
