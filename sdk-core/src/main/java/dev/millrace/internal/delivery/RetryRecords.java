package dev.millrace.internal.delivery;

import dev.millrace.internal.channel.Delivery;
import dev.millrace.internal.channel.History;
import dev.millrace.internal.channel.PartitionLoad;
import dev.millrace.internal.delivery.RetryTopics.Own;
import dev.millrace.internal.offset.OffsetTicket;
import dev.millrace.internal.transaction.Departure;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.jspecify.annotations.Nullable;

/**
 * The form of a record in a retry topic: key, value and headers as they came, and headers that say
 * where from, how often it was tried, and why it is there. Any thread.
 *
 * <p>Invariant: these headers are believed in the consumer's own retry topics only, and only if
 * they fit the topic that they stand in; elsewhere they change nothing. They are replaced at each
 * level, and taken away before a handler sees the record.
 */
public final class RetryRecords {
  static final String PREFIX = "millrace-retry-";
  static final String ORIGIN_TOPIC = PREFIX + "origin-topic";
  static final String ORIGIN_PARTITION = PREFIX + "origin-partition";
  static final String ORIGIN_OFFSET = PREFIX + "origin-offset";
  static final String ORIGIN_TIMESTAMP = PREFIX + "origin-timestamp";
  static final String FIRST_FAILURE = PREFIX + "first-failure";
  static final String ATTEMPTS = PREFIX + "attempts";
  static final String FOLLOWS_KEY = PREFIX + "follows-key";
  static final String EXCEPTION_CLASS = PREFIX + "exception-class";
  static final String EXCEPTION_MESSAGE = PREFIX + "exception-message";

  private final RetryTopics topics;
  private final Runnable onIgnored;

  /**
   * @param onIgnored told of each record whose headers are not believed
   */
  public RetryRecords(RetryTopics topics, Runnable onIgnored) {
    this.topics = topics;
    this.onIgnored = onIgnored;
  }

  /**
   * Returns what is sent to a retry topic; where the order of keys is kept, to the partition that
   * has the number of its own, since that is where others look for a key.
   */
  static ProducerRecord<byte[], byte[]> record(String topic, Delivery delivery, Departure how) {
    ConsumerRecord<byte[], byte[]> source = delivery.record();
    Headers headers = withoutOwn(source.headers());
    DeadLetters.put(headers, ORIGIN_TOPIC, source.topic());
    DeadLetters.put(headers, ORIGIN_PARTITION, Integer.toString(source.partition()));
    DeadLetters.put(headers, ORIGIN_OFFSET, Long.toString(source.offset()));
    DeadLetters.put(headers, ORIGIN_TIMESTAMP, Long.toString(source.timestamp()));
    DeadLetters.put(headers, FIRST_FAILURE, Long.toString(delivery.tries().firstFailure()));
    DeadLetters.put(headers, ATTEMPTS, Integer.toString(how.attempts()));
    if (how.followsKey()) {
      DeadLetters.put(headers, FOLLOWS_KEY, "true");
    } else {
      DeadLetters.put(headers, EXCEPTION_CLASS, how.failure().getClass().getName());
      DeadLetters.put(headers, EXCEPTION_MESSAGE, Failures.message(how.failure()));
    }
    Integer partition = delivery.keyPlace() == null ? null : delivery.readFrom().partition();
    // Its own timestamp: by that of its origin it could be too old for the topic's retention.
    return new ProducerRecord<>(topic, partition, null, source.key(), source.value(), headers);
  }

  /**
   * Returns whether a record of a retry topic has not failed where it was before, so that it need
   * not wait for anything but those before it.
   */
  public static boolean followsKey(Headers headers) {
    return headers.lastHeader(FOLLOWS_KEY) != null;
  }

  /** Returns a record as it stood in its own topic, whichever it was polled from. */
  public ConsumerRecord<byte[], byte[]> origin(ConsumerRecord<byte[], byte[]> polled) {
    Own own = topics.own(polled.topic());
    Origin origin = own == null ? null : believed(own, polled);
    return origin == null ? polled : origin.record(polled);
  }

  private @Nullable Origin believed(Own own, ConsumerRecord<byte[], byte[]> polled) {
    Origin origin = Origin.of(polled.headers());
    return origin == null || !topics.source(origin.topic()).equals(own.source()) ? null : origin;
  }

  /** Returns the delivery of a record that was polled, from a retry topic or any other. */
  public Delivery delivery(
      ConsumerRecord<byte[], byte[]> polled,
      OffsetTicket ticket,
      PartitionLoad load,
      long queuedNanos) {
    if (topics.levels() == 0) {
      return new Delivery(polled, ticket, load, queuedNanos);
    }
    Own own = topics.own(polled.topic());
    if (own == null) {
      if (hasOwn(polled.headers())) {
        onIgnored.run();
      }
      return new Delivery(polled, ticket, load, queuedNanos);
    }
    Origin origin = believed(own, polled);
    if (origin == null) {
      onIgnored.run();
      origin =
          new Origin(
              polled.topic(), polled.partition(), polled.offset(), polled.timestamp(), 0, -1);
    }
    return new Delivery(
        origin.record(polled),
        ticket,
        load,
        queuedNanos,
        new History(
            own.level(),
            new TopicPartition(polled.topic(), polled.partition()),
            origin.attempts(),
            origin.firstFailure()));
  }

  private static boolean hasOwn(Headers headers) {
    for (Header header : headers) {
      if (header.key().startsWith(PREFIX)) {
        return true;
      }
    }
    return false;
  }

  private static Headers withoutOwn(Headers headers) {
    Headers others = new RecordHeaders();
    for (Header header : headers) {
      if (!header.key().startsWith(PREFIX)) {
        others.add(header);
      }
    }
    return others;
  }

  /**
   * What the headers say.
   *
   * @param attempts how many there have been
   * @param firstFailure when the first of them failed, in milliseconds since the epoch, or -1
   */
  private record Origin(
      String topic, int partition, long offset, long timestamp, int attempts, long firstFailure) {

    /** Returns null when a header is missing or makes no sense. */
    static @Nullable Origin of(Headers headers) {
      Optional<String> topic = text(headers, ORIGIN_TOPIC);
      Optional<Long> partition = number(headers, ORIGIN_PARTITION, 0, Integer.MAX_VALUE);
      Optional<Long> offset = number(headers, ORIGIN_OFFSET, 0, Long.MAX_VALUE);
      Optional<Long> timestamp = number(headers, ORIGIN_TIMESTAMP, -1, Long.MAX_VALUE);
      Optional<Long> attempts = number(headers, ATTEMPTS, 0, Integer.MAX_VALUE / 2);
      Optional<Long> failure = number(headers, FIRST_FAILURE, -1, Long.MAX_VALUE);
      return topic.isEmpty()
              || partition.isEmpty()
              || offset.isEmpty()
              || timestamp.isEmpty()
              || attempts.isEmpty()
              || failure.isEmpty()
          ? null
          : new Origin(
              topic.get(),
              partition.get().intValue(),
              offset.get(),
              timestamp.get(),
              attempts.get().intValue(),
              failure.get());
    }

    private static Optional<String> text(Headers headers, String name) {
      Header header = headers.lastHeader(name);
      return header == null || header.value() == null
          ? Optional.empty()
          : Optional.of(new String(header.value(), StandardCharsets.UTF_8));
    }

    private static Optional<Long> number(Headers headers, String name, long min, long max) {
      try {
        return text(headers, name)
            .map(Long::parseLong)
            .filter(number -> number >= min && number <= max);
      } catch (NumberFormatException none) {
        return Optional.empty();
      }
    }

    /** Returns the record as it stood in its own topic. */
    ConsumerRecord<byte[], byte[]> record(ConsumerRecord<byte[], byte[]> polled) {
      return new ConsumerRecord<>(
          topic,
          partition,
          offset,
          timestamp,
          timestamp < 0 ? TimestampType.NO_TIMESTAMP_TYPE : TimestampType.CREATE_TIME,
          polled.serializedKeySize(),
          polled.serializedValueSize(),
          polled.key(),
          polled.value(),
          withoutOwn(polled.headers()),
          Optional.empty());
    }
  }
}
