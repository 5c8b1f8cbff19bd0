package dev.millrace.internal.delivery;

import dev.millrace.consumer.RecordContext;
import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Headers;
import org.jspecify.annotations.Nullable;

/** What a handler sees of its record. */
record HandlerContext(ConsumerRecord<byte[], byte[]> record, int attempt) implements RecordContext {

  @Override
  public String topic() {
    return record.topic();
  }

  @Override
  public int partition() {
    return record.partition();
  }

  @Override
  public long offset() {
    return record.offset();
  }

  @Override
  public long timestamp() {
    return record.timestamp();
  }

  @Override
  public @Nullable String key() {
    byte[] bytes = record.key();
    return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
  }

  @Override
  public byte @Nullable [] keyBytes() {
    return record.key();
  }

  @Override
  public Headers headers() {
    return record.headers();
  }

  @Override
  public OptionalInt deliveryCount() {
    return record.deliveryCount().stream().mapToInt(Short::intValue).findFirst();
  }

  /** The payload stays out of logs. */
  @Override
  public String toString() {
    return record.topic() + "-" + record.partition() + "@" + record.offset() + "#" + attempt;
  }
}
