package dev.millrace.deadletter;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;

/**
 * A record that a group has given up, as it stands in a dead-letter topic. Immutable; any thread.
 * Its text shows neither key nor value.
 */
public final class DeadLetter {
  private final ConsumerRecord<byte[], byte[]> record;
  private final Origin origin;
  private final String group;

  /**
   * Where the record stood when it was given up.
   *
   * @param partition topic and partition that it was read from
   * @param offset its offset there
   * @param timestamp its timestamp there
   */
  public record Origin(TopicPartition partition, long offset, Instant timestamp) {
    @Override
    public String toString() {
      return partition + "@" + offset;
    }
  }

  private DeadLetter(ConsumerRecord<byte[], byte[]> record, Origin origin, String group) {
    this.record = record;
    this.origin = origin;
    this.group = group;
  }

  /**
   * Reads a record of a dead-letter topic.
   *
   * @return empty when it has not the headers of a dead letter
   */
  public static Optional<DeadLetter> of(ConsumerRecord<byte[], byte[]> record) {
    Headers headers = record.headers();
    String topic = text(headers, DeadLetterHeaders.ORIGIN_TOPIC);
    String group = text(headers, DeadLetterHeaders.GROUP);
    if (topic == null || topic.isEmpty() || group == null) {
      return Optional.empty();
    }
    try {
      TopicPartition partition =
          new TopicPartition(
              topic, Math.toIntExact(number(headers, DeadLetterHeaders.ORIGIN_PARTITION)));
      Instant timestamp = Instant.ofEpochMilli(number(headers, DeadLetterHeaders.ORIGIN_TIMESTAMP));
      long offset = number(headers, DeadLetterHeaders.ORIGIN_OFFSET);
      return Optional.of(new DeadLetter(record, new Origin(partition, offset, timestamp), group));
    } catch (ArithmeticException | NumberFormatException e) {
      return Optional.empty();
    }
  }

  private static @Nullable String text(Headers headers, String name) {
    Header header = headers.lastHeader(name);
    return header == null || header.value() == null ? null : new String(header.value(), UTF_8);
  }

  /** Long.parseLong refuses null with the same exception as any other text that is no number. */
  private static long number(Headers headers, String name) {
    return Long.parseLong(String.valueOf(text(headers, name)));
  }

  private int count(String name) {
    String text = text(record.headers(), name);
    try {
      return text == null ? 0 : Math.max(0, Integer.parseInt(text));
    } catch (NumberFormatException e) {
      return 0;
    }
  }

  /** Returns the dead-letter topic and partition that it stands in. */
  public TopicPartition partition() {
    return new TopicPartition(record.topic(), record.partition());
  }

  /** Returns its offset there. */
  public long offset() {
    return record.offset();
  }

  /** Returns when it was given up, as its timestamp says. */
  public Instant time() {
    return Instant.ofEpochMilli(record.timestamp());
  }

  /** Returns where it came from. */
  public Origin origin() {
    return origin;
  }

  /** Returns the group that gave it up. */
  public String group() {
    return group;
  }

  /** Returns how many attempts it had; 0 when its header is not readable. */
  public int attempts() {
    return count(DeadLetterHeaders.ATTEMPTS);
  }

  /**
   * Returns why it had no other attempt, as {@link DeadLetterHeaders#GAVE_UP} says it; empty when
   * nothing does.
   */
  public String gaveUp() {
    String why = text(record.headers(), DeadLetterHeaders.GAVE_UP);
    return why == null ? "" : why;
  }

  /** Returns how often it was redriven before it was given up this time. */
  public int redrives() {
    return count(DeadLetterHeaders.REDRIVES);
  }

  /** Returns the class name of the last failure; empty when nothing says it. */
  public String cause() {
    String name = text(record.headers(), DeadLetterHeaders.EXCEPTION_CLASS);
    return name == null ? "" : name;
  }

  /** Returns the message of the last failure, which may be cut; empty when there is none. */
  public String causeMessage() {
    String message = text(record.headers(), DeadLetterHeaders.EXCEPTION_MESSAGE);
    return message == null ? "" : message;
  }

  /**
   * Returns whether it has all of the record: key, value and the headers that it came with. What
   * was left out of one that did not fit stands where it {@linkplain #origin() came from}, as long
   * as that topic keeps it.
   */
  public boolean isComplete() {
    String trimmed = text(record.headers(), DeadLetterHeaders.TRIMMED);
    return trimmed == null
        || !List.of(trimmed.split(",", -1)).contains(DeadLetterHeaders.TRIMMED_HEADERS);
  }

  /** Returns the key's bytes, not to be changed; null when it has none. */
  public byte @Nullable [] keyBytes() {
    return record.key();
  }

  /** Returns the key as UTF-8 text; null when it has none. */
  public @Nullable String key() {
    byte[] key = record.key();
    return key == null ? null : new String(key, UTF_8);
  }

  /** Returns the value's bytes, not to be changed; null when it is a tombstone. */
  public byte @Nullable [] value() {
    return record.value();
  }

  /** Returns a copy of all its headers, those of Millrace among them. */
  public Headers headers() {
    return new RecordHeaders(record.headers().toArray());
  }

  @Override
  public String toString() {
    return "%s@%d from %s, given up by '%s' at %s after %d attempts and %d redrives: %s: %s"
        .formatted(
            partition(),
            offset(),
            origin,
            group,
            time(),
            attempts(),
            redrives(),
            cause(),
            causeMessage());
  }
}
