package dev.millrace.serialization;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import dev.millrace.errors.PayloadException;
import java.io.IOException;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serializer;
import org.jspecify.annotations.Nullable;

/** JSON by Jackson; the reader and writer are resolved once and shared by all threads. */
final class JsonSerde<V> implements Serde<V> {
  private final Class<V> type;
  private final ObjectReader reader;
  private final ObjectWriter writer;

  JsonSerde(ObjectMapper mapper, Class<V> type) {
    this.type = type;
    this.reader = mapper.readerFor(type);
    // Object means "whatever comes": its writer must look at each value's own class.
    this.writer = type == Object.class ? mapper.writer() : mapper.writerFor(type);
  }

  @Override
  public Serializer<V> serializer() {
    return (topic, value) -> encode(value);
  }

  @Override
  public Deserializer<V> deserializer() {
    return (topic, bytes) -> decode(bytes);
  }

  private byte @Nullable [] encode(@Nullable V value) {
    if (value == null) {
      return null;
    }
    try {
      return writer.writeValueAsBytes(value);
    } catch (JsonProcessingException e) {
      throw new PayloadException(
          value.getClass().getName() + " can't be written as JSON: " + e.getOriginalMessage(), e);
    }
  }

  private @Nullable V decode(byte @Nullable [] bytes) {
    if (bytes == null) {
      return null;
    }
    try {
      return reader.readValue(bytes);
    } catch (IOException e) {
      // Jackson's text quotes the payload, which may hold personal data and ends in logs and
      // headers: say where it broke, not what it said, and keep the trace but not the text.
      String reason =
          e.getClass().getSimpleName()
              + (e instanceof JsonProcessingException json ? position(json) : "");
      PayloadException undecodable =
          new PayloadException(
              bytes.length + " bytes are not JSON of " + type.getName() + ": " + reason, null);
      undecodable.setStackTrace(e.getStackTrace());
      throw undecodable;
    }
  }

  private static String position(JsonProcessingException json) {
    var location = json.getLocation();
    return location == null
        ? ""
        : " at line " + location.getLineNr() + ", column " + location.getColumnNr();
  }
}
