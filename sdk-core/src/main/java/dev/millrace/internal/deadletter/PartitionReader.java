package dev.millrace.internal.deadletter;

import java.time.Duration;
import java.util.Objects;
import java.util.Set;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.TopicPartition;

/**
 * Reads a part of a partition, whatever it holds.
 *
 * @param client stays the caller's to close
 */
record PartitionReader(Scope scope, Consumer<byte[], byte[]> client) {
  private static final Duration POLL = Duration.ofMillis(200);

  /** Returns the offset behind the last committed record. */
  long end(TopicPartition partition) {
    client.assign(Set.of(partition)); // It warns of offsets that it learns of others.
    return Objects.requireNonNull(client.endOffsets(Set.of(partition)).get(partition));
  }

  /**
   * Reads from one offset to another, as far as the log has them.
   *
   * @param to the first offset that is not read
   */
  void read(
      TopicPartition partition,
      long from,
      long to,
      java.util.function.Consumer<ConsumerRecord<byte[], byte[]>> reader) {
    long end = Math.min(to, end(partition));
    long begin = Objects.requireNonNull(client.beginningOffsets(Set.of(partition)).get(partition));
    if (from >= end) {
      return;
    }
    client.seek(partition, Math.max(from, begin));
    Patience patience = new Patience(scope);
    while (client.position(partition) < end) {
      ConsumerRecords<byte[], byte[]> polled = client.poll(POLL);
      patience.polled(!polled.isEmpty());
      for (ConsumerRecord<byte[], byte[]> record : polled) {
        if (record.offset() >= from && record.offset() < end) {
          reader.accept(record);
        }
      }
    }
  }
}
