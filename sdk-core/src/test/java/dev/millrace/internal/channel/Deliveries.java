package dev.millrace.internal.channel;

import dev.millrace.internal.offset.CompletedAhead;
import dev.millrace.internal.offset.OffsetTracker;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;

/** Deliveries for tests. */
public final class Deliveries {
  private static final TopicPartition PARTITION = new TopicPartition("topic", 0);

  private Deliveries() {}

  public static Delivery delivery(long offset) {
    return delivery(offset, "key");
  }

  public static Delivery delivery(long offset, String key) {
    return delivery(offset, key, 0);
  }

  public static Delivery polledNow(long offset) {
    return polled(offset, System.nanoTime());
  }

  static Delivery polled(long offset, long nanos) {
    return delivery(offset, "key", nanos);
  }

  private static Delivery delivery(long offset, String key, long queuedNanos) {
    return new Delivery(
        record(offset, key),
        new OffsetTracker(PARTITION, CompletedAhead.NONE).issue(offset, -1),
        new PartitionLoad(),
        queuedNanos);
  }

  public static ConsumerRecord<byte[], byte[]> record(long offset, String key) {
    byte[] keyBytes = key.getBytes(StandardCharsets.UTF_8);
    byte[] value = new byte[10];
    return new ConsumerRecord<>(
        "topic",
        0,
        offset,
        0,
        TimestampType.CREATE_TIME,
        keyBytes.length,
        value.length,
        keyBytes,
        value,
        new RecordHeaders(),
        Optional.empty());
  }
}
