package dev.millrace.idempotency.jdbc;

import dev.millrace.consumer.RecordContext;
import dev.millrace.idempotency.Claim;
import java.util.Optional;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;

/** A record's context with nothing in it but its claim. */
record ClaimedContext(Optional<Claim> claim) implements RecordContext {

  @Override
  public String topic() {
    return "orders";
  }

  @Override
  public int partition() {
    return 0;
  }

  @Override
  public long offset() {
    return 0;
  }

  @Override
  public long timestamp() {
    return 0;
  }

  @Override
  public String key() {
    return "key";
  }

  @Override
  public byte[] keyBytes() {
    return new byte[0];
  }

  @Override
  public Headers headers() {
    return new RecordHeaders();
  }

  @Override
  public int attempt() {
    return 1;
  }

  @Override
  public void send(String topic, @Nullable String key, @Nullable Object value) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void send(ProducerRecord<String, ?> output) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void sendBytes(ProducerRecord<byte[], byte[]> output) {
    throw new UnsupportedOperationException();
  }
}
