package dev.millrace.internal.delivery;

import dev.millrace.consumer.RecordContext;
import dev.millrace.idempotency.Claim;
import dev.millrace.internal.channel.Claimed;
import dev.millrace.internal.channel.Delivery;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.OptionalInt;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Headers;
import org.jspecify.annotations.Nullable;

/** What a handler sees of its record. */
record HandlerContext(
    ConsumerRecord<byte[], byte[]> record,
    int attempt,
    @Nullable Outputs outputs,
    Optional<Claim> claim)
    implements RecordContext {

  static HandlerContext of(Delivery delivery, RecordEnds ends) {
    ConsumerRecord<byte[], byte[]> record = delivery.record();
    Claimed claimed = delivery.claimed();
    return new HandlerContext(
        record,
        delivery.attempt(),
        ends.outputs(delivery),
        claimed == null ? Optional.empty() : Optional.of(claimed.claim()));
  }

  /** Returns what comes of an attempt whose handler has returned. */
  Outcome handled() {
    return outputs == null ? Outcome.Handled.INSTANCE : new Outcome.Handled(outputs.close());
  }

  @Override
  public void send(String topic, @Nullable String key, @Nullable Object value) {
    send(new ProducerRecord<>(topic, key, value));
  }

  @Override
  public void send(ProducerRecord<String, ?> output) {
    transactional().encode(output);
  }

  @Override
  public void sendBytes(ProducerRecord<byte[], byte[]> output) {
    transactional().add(output);
  }

  private Outputs transactional() {
    if (outputs == null) {
      throw new IllegalStateException(
          this
              + ": only a consumer of 'delivery-semantics: exactly-once' sends with the record's offset; use a MessageProducer.");
    }
    return outputs;
  }

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
