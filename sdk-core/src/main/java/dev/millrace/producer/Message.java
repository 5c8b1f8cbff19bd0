package dev.millrace.producer;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.jspecify.annotations.Nullable;

/**
 * A record to be sent. Immutable: each {@code with…} returns another one, so that a message may be
 * the pattern of many.
 *
 * <pre>{@code
 * orders.send(Message.of("customer-42", order).withHeader("region", "north").withTopic("audit"));
 * }</pre>
 *
 * @param topic one of the producer's topics; null for the only one
 * @param key decides the partition and the order; null spreads records over the partitions
 * @param value the value; null is a tombstone
 * @param headers in their order; a name may stand several times
 * @param partition from 0; null leaves it to the key, or to a {@code partitioner.class}
 * @param timestamp in milliseconds, what is finer is cut off; null for the time of the send. A
 *     topic with {@code message.timestamp.type=LogAppendTime} replaces it
 * @param <V> the value's type
 */
public record Message<V>(
    @Nullable String topic,
    @Nullable String key,
    @Nullable V value,
    List<Header> headers,
    @Nullable Integer partition,
    @Nullable Instant timestamp) {

  /**
   * @throws IllegalArgumentException when the partition or the timestamp is negative
   */
  public Message {
    headers = List.copyOf(headers);
    if (partition != null && partition < 0) {
      throw new IllegalArgumentException(
          "A message's partition is a number from 0, not " + partition + ".");
    }
    if (timestamp != null && timestamp.isBefore(Instant.EPOCH)) {
      throw new IllegalArgumentException(
          "A message's timestamp is not before 1970, unlike " + timestamp + ".");
    }
  }

  /** Returns a message of a key and a value. */
  public static <V> Message<V> of(@Nullable String key, @Nullable V value) {
    return new Message<>(null, key, value, List.of(), null, null);
  }

  /** Returns what deletes a key from a compacted topic: a message without a value. */
  public static <V> Message<V> tombstone(String key) {
    return of(key, null);
  }

  /** Returns the same message for another topic. */
  public Message<V> withTopic(String otherTopic) {
    return new Message<>(otherTopic, key, value, headers, partition, timestamp);
  }

  /** Returns the same message with one more header, in UTF-8. */
  public Message<V> withHeader(String name, String text) {
    return withHeader(name, text.getBytes(UTF_8));
  }

  /** Returns the same message with one more header. */
  public Message<V> withHeader(String name, byte @Nullable [] bytes) {
    List<Header> more = new ArrayList<>(headers);
    more.add(new RecordHeader(name, bytes));
    return new Message<>(topic, key, value, more, partition, timestamp);
  }

  /** Returns the same message for a partition, whatever its key. */
  public Message<V> withPartition(int otherPartition) {
    return new Message<>(topic, key, value, headers, otherPartition, timestamp);
  }

  /** Returns the same message of another time. */
  public Message<V> withTimestamp(Instant otherTimestamp) {
    return new Message<>(topic, key, value, headers, partition, otherTimestamp);
  }

  /** Returns where it goes and what is beside the payload, which is not shown. */
  @Override
  public String toString() {
    return "Message[topic=%s, partition=%s, timestamp=%s, headers=%s]"
        .formatted(topic, partition, timestamp, headers.stream().map(Header::key).toList());
  }
}
