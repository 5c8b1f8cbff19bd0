package dev.millrace.internal.delivery;

import dev.millrace.errors.PayloadException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.Serializer;
import org.jspecify.annotations.Nullable;

/**
 * What one attempt at a record has sent; it waits here until the handler has returned, and is
 * forgotten when it throws. Any thread.
 */
final class Outputs {
  private final Serializer<Object> serializer;
  private final Consumer<String> awaitTopic;
  private final List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>(1);
  private boolean closed;

  /**
   * @param awaitTopic waits until a topic is known, or throws; so that it is the handler that waits
   *     and fails, and not the transaction
   */
  Outputs(Serializer<Object> serializer, Consumer<String> awaitTopic) {
    this.serializer = serializer;
    this.awaitTopic = awaitTopic;
  }

  void encode(ProducerRecord<String, ?> output) {
    String key = output.key();
    add(
        new ProducerRecord<>(
            output.topic(),
            output.partition(),
            output.timestamp(),
            key == null ? null : key.getBytes(StandardCharsets.UTF_8),
            bytes(output.topic(), output.value()),
            output.headers()));
  }

  private byte @Nullable [] bytes(String topic, @Nullable Object value) {
    if (value == null) {
      return null;
    }
    try {
      return serializer.serialize(topic, value);
    } catch (ClassCastException e) {
      throw new PayloadException(
          "What is sent to '%s' is a %s, which the consumer's format can't hold; send bytes."
              .formatted(topic, value.getClass().getName()),
          e);
    }
  }

  void add(ProducerRecord<byte[], byte[]> output) {
    awaitTopic.accept(output.topic());
    synchronized (this) {
      if (closed) {
        throw new IllegalStateException(
            "The handler has ended, and with it the time to send to '" + output.topic() + "'.");
      }
      records.add(output);
    }
  }

  /** Returns all; no more can be added. */
  synchronized List<ProducerRecord<byte[], byte[]>> close() {
    closed = true;
    return List.copyOf(records);
  }
}
