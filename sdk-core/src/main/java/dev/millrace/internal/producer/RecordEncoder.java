package dev.millrace.internal.producer;

import dev.millrace.config.ProducerDefinition;
import dev.millrace.errors.PayloadException;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.Serializer;
import org.jspecify.annotations.Nullable;

/** From a value to the bytes of a record for one of a producer's topics. Any thread. */
final class RecordEncoder<V> {
  private final ProducerDefinition definition;
  private final Serializer<V> serializer;

  RecordEncoder(ProducerDefinition definition, Serializer<V> serializer) {
    this.definition = definition;
    this.serializer = serializer;
  }

  /**
   * Returns the only topic.
   *
   * @throws IllegalStateException when the definition names several or none
   */
  String topic() {
    if (definition.topics().size() != 1) {
      throw new IllegalStateException(
          "Producer '%s' has %d topics %s; say which one: send(topic, key, value)."
              .formatted(definition.name(), definition.topics().size(), definition.topics()));
    }
    return definition.topics().get(0);
  }

  /**
   * Encodes a record.
   *
   * @throws IllegalArgumentException when the definition does not name its topic
   * @throws PayloadException when the value can't be encoded
   */
  ProducerRecord<byte[], byte[]> encode(ProducerRecord<String, V> message) {
    String topic = message.topic();
    if (!definition.topics().contains(topic)) {
      throw new IllegalArgumentException(
          "Producer '%s' does not write to topic '%s'; its topics are %s."
              .formatted(definition.name(), topic, definition.topics()));
    }
    String key = message.key();
    return new ProducerRecord<>(
        topic,
        message.partition(),
        message.timestamp(),
        key == null ? null : key.getBytes(StandardCharsets.UTF_8),
        bytes(topic, message.value()),
        message.headers());
  }

  private byte @Nullable [] bytes(String topic, @Nullable V value) {
    if (value == null) {
      return null;
    }
    try {
      return serializer.serialize(topic, value);
    } catch (ClassCastException e) {
      throw new PayloadException(
          "Producer '%s' has 'format: %s', which can't hold a %s."
              .formatted(definition.name(), definition.format(), value.getClass().getName()),
          e);
    }
  }
}
