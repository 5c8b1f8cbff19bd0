package dev.millrace.testkit.history;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** An event as one line of JSON, and back. Thread-safe. */
final class EventJson {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final JsonFactory FACTORY = MAPPER.getFactory();

  private EventJson() {}

  /** Returns the whole line, its line feed included; JSON escapes any within. */
  static byte[] line(Event event) {
    ByteArrayOutputStream line = new ByteArrayOutputStream(256);
    try (JsonGenerator json = FACTORY.createGenerator(line)) {
      json.writeStartObject();
      json.writeStringField("kind", event.kind().name());
      json.writeNumberField("process", event.process());
      json.writeStringField("name", event.name());
      json.writeStringField("thread", event.thread());
      json.writeNumberField("nanos", event.nanos());
      json.writeNumberField("micros", event.micros());
      if (event.record() != null) {
        write(event.record(), json);
      }
      if (!event.offsets().isEmpty()) {
        write(event.offsets(), json);
      }
      if (!event.text().isEmpty()) {
        json.writeStringField("text", event.text());
      }
      json.writeEndObject();
      json.writeRaw('\n');
    } catch (IOException e) {
      throw new UncheckedIOException("Into memory, where nothing fails", e);
    }
    return line.toByteArray();
  }

  /**
   * Returns the event of a line.
   *
   * @throws IOException if the line is not one
   */
  static Event parse(String line) throws IOException {
    JsonNode json = MAPPER.readTree(line);
    try {
      return new Event(
          Kind.valueOf(json.required("kind").textValue()),
          json.required("process").longValue(),
          json.required("name").textValue(),
          json.required("thread").textValue(),
          json.required("nanos").longValue(),
          json.required("micros").longValue(),
          json.has("topic") ? record(json) : null,
          offsets(json.path("offsets")),
          json.path("text").asText());
    } catch (IllegalArgumentException e) {
      throw new IOException("Not an event: " + e.getMessage(), e);
    }
  }

  private static void write(RecordAt record, JsonGenerator json) throws IOException {
    json.writeStringField("topic", record.partition().topic());
    json.writeNumberField("partition", record.partition().partition());
    json.writeNumberField("offset", record.offset());
    writeIfThere("key", record.key(), json);
    writeIfThere("value", record.valueId(), json);
    json.writeNumberField("attempt", record.attempt());
    if (record.outcome() != null) {
      json.writeStringField("outcome", record.outcome().name());
    }
  }

  private static void writeIfThere(String field, @Nullable String text, JsonGenerator json)
      throws IOException {
    if (text != null) {
      json.writeStringField(field, text);
    }
  }

  private static void write(Map<TopicPartition, Long> offsets, JsonGenerator json)
      throws IOException {
    json.writeArrayFieldStart("offsets");
    for (Map.Entry<TopicPartition, Long> entry : offsets.entrySet()) {
      json.writeStartObject();
      json.writeStringField("topic", entry.getKey().topic());
      json.writeNumberField("partition", entry.getKey().partition());
      json.writeNumberField("offset", entry.getValue());
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  private static RecordAt record(JsonNode json) {
    String outcome = json.path("outcome").textValue();
    return new RecordAt(
        partition(json),
        json.required("offset").longValue(),
        json.path("key").textValue(),
        json.path("value").textValue(),
        json.required("attempt").intValue(),
        outcome == null ? null : Outcome.valueOf(outcome));
  }

  private static Map<TopicPartition, Long> offsets(JsonNode json) {
    Map<TopicPartition, Long> offsets = new LinkedHashMap<>();
    json.forEach(entry -> offsets.put(partition(entry), entry.required("offset").longValue()));
    return offsets;
  }

  private static TopicPartition partition(JsonNode json) {
    return new TopicPartition(
        json.required("topic").textValue(), json.required("partition").intValue());
  }
}
