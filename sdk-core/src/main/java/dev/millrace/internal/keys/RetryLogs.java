package dev.millrace.internal.keys;

import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * What brokers tell of a group's retry topics, whoever owns their partitions. All of it may throw a
 * {@link org.apache.kafka.common.KafkaException}, and is then asked for again. One thread, but for
 * {@link #stop}.
 */
public interface RetryLogs {

  /** Returns those of the partitions that there are. */
  Set<TopicPartition> present(Set<TopicPartition> partitions);

  /** Returns what the group has committed, for those partitions of which it has. */
  Map<TopicPartition, OffsetAndMetadata> committed(Set<TopicPartition> partitions);

  /** Returns the offset behind each partition's last record. */
  Map<TopicPartition, Long> ends(Set<TopicPartition> partitions);

  /**
   * Reads a part of a partition, as far as the log has it.
   *
   * @param to the first offset that is not read
   * @param reader returns whether it takes more
   * @return up to which offset it has been read
   */
  long read(
      TopicPartition partition,
      long from,
      long to,
      Predicate<ConsumerRecord<byte[], byte[]>> reader);

  /** Lets go of what it holds open, until it is asked again. */
  void rest();

  /** Has the call that is under way end soon, in an exception. Any thread. */
  void stop();
}
