package dev.millrace.internal.deadletter;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.millrace.deadletter.DeadLetter;
import dev.millrace.deadletter.DeadLetterHeaders;
import dev.millrace.internal.delivery.RedriveMark;
import java.util.HashMap;
import java.util.Map;
import java.util.function.ToIntFunction;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.jspecify.annotations.Nullable;

/** What a dead letter is when it comes back, and whether its topic takes that. Of one thread. */
final class WayBack {
  /** Of a batch with one record: more than Kafka needs for all that is not counted here. */
  private static final int BATCH_BYTES = 100;

  private static final int HEADER_BYTES = 10;

  private final Scope scope;
  private final ToIntFunction<String> partitions;
  private final ToIntFunction<String> largest;
  private final Map<String, Integer> known = new HashMap<>();

  /**
   * @param partitions tells how many a topic has
   * @param largest tells how many bytes a batch in a topic may have
   */
  WayBack(Scope scope, ToIntFunction<String> partitions, ToIntFunction<String> largest) {
    this.scope = scope;
    this.partitions = partitions;
    this.largest = largest;
  }

  /**
   * The record as it was, with the mark. Its timestamp is the present: with the old one, a topic
   * might delete it at once. Where its partition is gone, its key chooses another.
   */
  ProducerRecord<byte[], byte[]> record(DeadLetter letter) {
    TopicPartition origin = letter.origin().partition();
    Headers headers = headers(letter);
    boolean there = origin.partition() < partitions.applyAsInt(origin.topic());
    return new ProducerRecord<>(
        origin.topic(),
        there ? origin.partition() : null,
        letter.keyBytes(),
        letter.value(),
        headers);
  }

  private Headers headers(DeadLetter letter) {
    Headers headers = letter.headers();
    for (Header header : headers.toArray()) {
      if (header.key().startsWith(DeadLetterHeaders.PREFIX)
          && !header.key().startsWith(DeadLetterHeaders.ORIGIN_PREFIX)) {
        headers.remove(header.key());
      }
    }
    new RedriveMark(scope.group(), letter.redrives() + 1)
        .stamp(letter.origin().partition().topic(), letter.keyBytes(), letter.value(), headers);
    return headers;
  }

  /**
   * Returns whether its topic has room for it, uncompressed: one that has not would keep all of its
   * transaction from being committed.
   */
  boolean fits(DeadLetter letter) {
    long bytes = BATCH_BYTES + (long) length(letter.keyBytes()) + length(letter.value());
    for (Header header : headers(letter)) {
      bytes += HEADER_BYTES + header.key().getBytes(UTF_8).length + length(header.value());
    }
    return bytes <= known.computeIfAbsent(letter.origin().partition().topic(), largest::applyAsInt);
  }

  private static int length(byte @Nullable [] bytes) {
    return bytes == null ? 0 : bytes.length;
  }
}
