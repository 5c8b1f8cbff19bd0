package dev.millrace.internal.producer;

import dev.millrace.config.ProducerDefinition;
import dev.millrace.errors.PayloadException;
import dev.millrace.producer.Message;
import dev.millrace.producer.MessageProducer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
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
  private final AtomicBoolean closed = new AtomicBoolean();

  /**
   * @param slot leased for this handle, which gives it back
   */
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
  public CompletableFuture<RecordMetadata> send(Message<V> message) {
    return slot.send(encoded(message));
  }

  @Override
  public CompletableFuture<List<RecordMetadata>> sendAll(Collection<Message<V>> messages) {
    // All are encoded before the first is sent: a bad value keeps all of them back.
    List<ProducerRecord<byte[], byte[]>> records = messages.stream().map(this::encoded).toList();
    return Acknowledgements.ofAll(name(), records.stream().map(slot::send).toList());
  }

  @Override
  public void sendAndForget(Message<V> message) {
    slot.sendAndForget(encoded(message));
  }

  @Override
  public RecordMetadata sendAndWait(Message<V> message, Duration timeout) {
    long start = System.nanoTime();
    return Acknowledgements.await(name(), send(message), start, timeout);
  }

  private ProducerRecord<byte[], byte[]> encoded(Message<V> message) {
    requireOpen();
    String topic = topic(message.topic());
    return new ProducerRecord<>(
        topic,
        message.partition(),
        message.timestamp() == null ? null : message.timestamp().toEpochMilli(),
        message.key() == null ? null : message.key().getBytes(StandardCharsets.UTF_8),
        encode(topic, message.value()),
        message.headers());
  }

  private String topic(@Nullable String said) {
    if (said == null) {
      if (definition.topics().size() != 1) {
        throw new IllegalStateException(
            "Producer '%s' has %d topics %s; say which one: send(topic, key, value)."
                .formatted(name(), definition.topics().size(), definition.topics()));
      }
      return definition.topics().get(0);
    }
    if (!definition.topics().contains(said)) {
      throw new IllegalArgumentException(
          "Producer '%s' does not write to topic '%s'; its topics are %s."
              .formatted(name(), said, definition.topics()));
    }
    return said;
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
    if (closed.compareAndSet(false, true)) {
      slot.giveBack();
    }
  }

  private void requireOpen() {
    if (closed.get()) {
      throw new IllegalStateException("This handle on producer '" + name() + "' is closed.");
    }
    pool.requireOpen();
  }
}
