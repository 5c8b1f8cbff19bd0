package dev.millrace.internal.channel;

import dev.millrace.internal.offset.OffsetTracker;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** Deliveries for tests. */
public final class Deliveries {
  private Deliveries() {}

  public static Delivery delivery(long offset) {
    return delivery(offset, "key");
  }

  public static Delivery delivery(long offset, String key) {
    return new Delivery(record(offset, key), new OffsetTracker().issue(offset), 0);
  }

  public static ConsumerRecord<byte[], byte[]> record(long offset, String key) {
    return new ConsumerRecord<>(
        "topic", 0, offset, key.getBytes(StandardCharsets.UTF_8), new byte[10]);
  }
}
