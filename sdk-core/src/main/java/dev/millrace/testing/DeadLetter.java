package dev.millrace.testing;

import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;

/** A record that was given up, as it stands in its dead-letter topic. Immutable. */
public final class DeadLetter {
  private final String topic;
  private final byte @Nullable [] key;
  private final byte @Nullable [] value;
  private final Map<String, String> headers;

  DeadLetter(ProducerRecord<byte[], byte[]> sent) {
    this.topic = sent.topic();
    this.key = copy(sent.key());
    this.value = copy(sent.value());
    Map<String, String> texts = new LinkedHashMap<>();
    for (Header header : sent.headers()) {
      texts.put(header.key(), text(header.value()));
    }
    this.headers = Collections.unmodifiableMap(texts);
  }

  /** Returns the dead-letter topic. */
  public String topic() {
    return topic;
  }

  /** Returns the key as UTF-8 text, or null when it has none. */
  public @Nullable String key() {
    return key == null ? null : text(key);
  }

  /** Returns a copy of the value's bytes, or null for a tombstone. */
  public byte @Nullable [] value() {
    return copy(value);
  }

  /**
   * Returns the headers as UTF-8 text, in their order: the record's own, and those that say where
   * it came from and why it is here, such as {@code millrace-origin-offset} and {@code
   * millrace-exception-class}. Of several with one name, the last. A header without a value is "".
   */
  public Map<String, String> headers() {
    return headers;
  }

  private static byte @Nullable [] copy(byte @Nullable [] bytes) {
    return bytes == null ? null : bytes.clone();
  }

  private static String text(byte @Nullable [] bytes) {
    return bytes == null ? "" : new String(bytes, StandardCharsets.UTF_8);
  }

  /** Shows no payload. */
  @Override
  public String toString() {
    return "DeadLetter[topic=" + topic + ", headers=" + headers + "]";
  }
}
