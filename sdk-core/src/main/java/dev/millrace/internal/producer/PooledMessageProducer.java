package dev.millrace.internal.producer;

import dev.millrace.config.ProducerDefinition;
import dev.millrace.errors.PayloadException;
import dev.millrace.producer.MessageProducer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.Serializer;
import org.jspecify.annotations.Nullable;

/** A handle on a pooled producer: encodes on the caller's thread, then sends. */
public final class PooledMessageProducer<V> implements MessageProducer<V> {
  private final ProducerDefinition definition;
  private final ProducerSlot slot;
  private final ProducerPool pool;
  private final Serializer<V> serializer;
  private volatile boolean closed;

  public PooledMessageProducer(
      ProducerDefinition definition,
      ProducerSlot slot,
      ProducerPool pool,
      Serializer<V> serializer) {
    this.definition = definition;
    this.slot = slot;
    this.pool = pool;
    this.serializer = serializer;
  }

  @Override
  public String name() {
    return definition.name();
  }

  @Override
  public CompletableFuture<RecordMetadata> send(@Nullable String key, @Nullable V value) {
    if (definition.topics().size() != 1) {
      throw new IllegalStateException(
          "Producer '%s' has %d topics %s; say which one: send(topic, key, value)."
              .formatted(name(), definition.topics().size(), definition.topics()));
    }
    return encodeAndSend(definition.topics().get(0), key, value);
  }

  @Override
  public CompletableFuture<RecordMetadata> send(
      String topic, @Nullable String key, @Nullable V value) {
    if (!definition.topics().contains(topic)) {
      throw new IllegalArgumentException(
          "Producer '%s' does not write to topic '%s'; its topics are %s."
              .formatted(name(), topic, definition.topics()));
    }
    return encodeAndSend(topic, key, value);
  }

  private CompletableFuture<RecordMetadata> encodeAndSend(
      String topic, @Nullable String key, @Nullable V value) {
    requireOpen();
    byte[] keyBytes = key == null ? null : key.getBytes(StandardCharsets.UTF_8);
    return slot.send(new ProducerRecord<>(topic, null, keyBytes, encode(topic, value)));
  }

  private byte @Nullable [] encode(String topic, @Nullable V value) {
    if (value == null) {
      return null;
    }
    try {
      return serializer.serialize(topic, value);
    } catch (ClassCastException e) {
      throw new PayloadException(
          "Producer '%s' has 'format: %s', which can't hold a %s."
              .formatted(name(), definition.format(), value.getClass().getName()),
          e);
    }
  }

  @Override
  public void flush() {
    requireOpen();
    slot.flush();
  }

  @Override
  public void close() {
    closed = true;
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("This handle on producer '" + name() + "' is closed.");
    }
    pool.requireOpen();
  }
}
