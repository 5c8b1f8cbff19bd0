package dev.millrace.internal.deadletter;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.millrace.deadletter.DeadLetter;
import dev.millrace.deadletter.DeadLetterHeaders;
import dev.millrace.internal.client.RedriveSettings;
import dev.millrace.internal.delivery.RedriveMark;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.ToIntFunction;
import java.util.zip.GZIPOutputStream;
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

  /** The brokers' batch has lengths and numbers besides, so it may compress a little worse. */
  private static final double MARGIN = 1.01;

  private final Scope scope;
  private final ToIntFunction<String> partitions;
  private final ToIntFunction<String> largest;
  private final Predicate<String> isCompacted;
  private final Predicate<String> keepsCompression;
  private final Map<String, Integer> known = new HashMap<>();
  private final Map<String, Boolean> compacted = new HashMap<>();

  /**
   * @param partitions tells how many a topic has; none if it is not there
   * @param largest tells how many bytes a batch in a topic may have
   * @param isCompacted passed by the topics that keep the last record of a key only
   * @param keepsCompression passed by the topics that take a batch compressed as it comes
   */
  WayBack(
      Scope scope,
      ToIntFunction<String> partitions,
      ToIntFunction<String> largest,
      Predicate<String> isCompacted,
      Predicate<String> keepsCompression) {
    this.scope = scope;
    this.partitions = partitions;
    this.largest = largest;
    this.isCompacted = isCompacted;
    this.keepsCompression = keepsCompression;
  }

  /** Returns whether there is a topic for it: a send to none would fail after its time-out. */
  boolean isThere(DeadLetter letter) {
    return partitions.applyAsInt(letter.origin().partition().topic()) > 0;
  }

  /** Returns whether it would take the place of newer records of its key. */
  boolean isCompacted(DeadLetter letter) {
    return compacted.computeIfAbsent(letter.origin().partition().topic(), isCompacted::test);
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
   * Returns whether its topic has room for it, compressed as it is sent: one that has not would
   * keep all of its transaction from being committed.
   */
  boolean fits(DeadLetter letter) {
    String topic = letter.origin().partition().topic();
    long room = known.computeIfAbsent(topic, largest::applyAsInt);
    Headers headers = headers(letter);
    long bytes = BATCH_BYTES + bytes(letter);
    for (Header header : headers) {
      bytes += HEADER_BYTES + header.key().getBytes(UTF_8).length + length(header.value());
    }
    // What can't be compressed gets a little larger by it.
    return bytes + bytes / 1_000 <= room
        || (keepsCompression.test(topic)
            && BATCH_BYTES + compressed(letter, headers) * MARGIN <= room);
  }

  /** Returns about how large it is by {@link RedriveSettings#COMPRESSION}. */
  private static long compressed(DeadLetter letter, Headers headers) {
    CountingOutputStream count = new CountingOutputStream();
    try (OutputStream gzip = new GZIPOutputStream(count)) {
      write(gzip, letter.keyBytes());
      write(gzip, letter.value());
      for (Header header : headers) {
        write(gzip, header.key().getBytes(UTF_8));
        write(gzip, header.value());
      }
    } catch (IOException e) {
      throw new UncheckedIOException("It is written nowhere.", e);
    }
    return count.bytes;
  }

  private static void write(OutputStream out, byte @Nullable [] bytes) throws IOException {
    if (bytes != null) {
      out.write(bytes);
    }
  }

  private static final class CountingOutputStream extends OutputStream {
    long bytes;

    @Override
    public void write(int one) {
      bytes++;
    }

    @Override
    public void write(byte[] some, int from, int length) {
      bytes += length;
    }
  }

  /** Returns the size of its key and value. */
  static long bytes(DeadLetter letter) {
    return (long) length(letter.keyBytes()) + length(letter.value());
  }

  private static int length(byte @Nullable [] bytes) {
    return bytes == null ? 0 : bytes.length;
  }
}
