package dev.millrace.consumer;

import dev.millrace.idempotency.Claim;
import java.util.Optional;
import java.util.OptionalInt;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Headers;
import org.jspecify.annotations.Nullable;

/** Where a record comes from. Valid until its handler has ended, on any one thread at a time. */
public interface RecordContext {

  /** Returns the topic it was read from. */
  String topic();

  /** Returns the partition it was read from. */
  int partition();

  /** Returns its offset in the partition. */
  long offset();

  /** Returns its timestamp in milliseconds since the epoch, or -1 when it has none. */
  long timestamp();

  /** Returns its key as UTF-8 text, or null when it has none. */
  @Nullable String key();

  /** Returns its key's bytes, or null when it has none. Not to be changed. */
  byte @Nullable [] keyBytes();

  /** Returns its headers. Not to be changed. */
  Headers headers();

  /** Returns which attempt this is: 1 at first, 2 for the first retry. */
  int attempt();

  /**
   * Returns how often the brokers have handed the record out, this time included: from 1 to the
   * group's {@code share.delivery.count.limit}, under {@code mode: queue}; empty otherwise.
   */
  default OptionalInt deliveryCount() {
    return OptionalInt.empty();
  }

  /**
   * Sends a record in the transaction that also commits this record's offset: both are there, or
   * neither is. It leaves when the handler has returned without failing; what a failed attempt has
   * sent is forgotten. Only under {@code delivery-semantics: exactly-once}. The call waits, for up
   * to {@code max.block.ms} (10 seconds), while the topic is not known to the brokers. Any thread.
   *
   * @param topic any topic
   * @param key decides the partition and the order; null spreads records over the partitions
   * @param value in the consumer's format; null is a tombstone
   * @throws IllegalStateException under another promise, or when the handler has ended
   * @throws dev.millrace.errors.PayloadException when the value can't be encoded
   * @throws org.apache.kafka.common.errors.TimeoutException when the topic is not there
   */
  void send(String topic, @Nullable String key, @Nullable Object value);

  /**
   * As {@link #send(String, String, Object)}, with all that Kafka lets a record have: headers, a
   * partition, a timestamp.
   */
  void send(ProducerRecord<String, ?> output);

  /** As {@link #send(String, String, Object)}, with key and value as they are to be. */
  void sendBytes(ProducerRecord<byte[], byte[]> output);

  /**
   * Returns the claim under which the record's message is handled; empty when its consumer has no
   * {@code idempotency}, or when the record has no id and is handled all the same.
   */
  default Optional<Claim> claim() {
    return Optional.empty();
  }
}
