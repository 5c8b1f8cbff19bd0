package dev.millrace.serialization;

import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serializer;

/** For values of no fixed type: bytes and text as they are, all else as JSON; reads JSON. */
record ByValueSerde(Serde<Object> json) implements Serde<Object> {

  @Override
  public Serializer<Object> serializer() {
    Serializer<Object> other = json.serializer();
    return (topic, value) -> {
      if (value instanceof byte[] bytes) {
        return bytes;
      }
      return value instanceof String text
          ? text.getBytes(StandardCharsets.UTF_8)
          : other.serialize(topic, value);
    };
  }

  @Override
  public Deserializer<Object> deserializer() {
    return json.deserializer();
  }
}
