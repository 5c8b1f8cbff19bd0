package dev.millrace.internal.deadletter;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.millrace.deadletter.DeadLetter;
import dev.millrace.deadletter.DeadLetter.Origin;
import dev.millrace.deadletter.DeadLetterHeaders;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.jspecify.annotations.Nullable;

/**
 * Completes dead letters of which a part was left out, by the records that they were made of.
 * Confined to the thread that made it.
 *
 * <p>Invariant: no other record takes a dead letter's place. A topic made anew has another one at
 * the offset: with another timestamp, or else another key.
 */
final class Origins implements AutoCloseable {
  private final Scope scope;
  private final Supplier<Consumer<byte[], byte[]>> clients;
  private @Nullable Consumer<byte[], byte[]> client;

  /**
   * @param clients makes one, with the first dead letter that needs it
   */
  Origins(Scope scope, Supplier<Consumer<byte[], byte[]>> clients) {
    this.scope = scope;
    this.clients = clients;
  }

  /** Returns the dead letter as it would be with nothing left out; empty when that is gone. */
  Optional<DeadLetter> completed(DeadLetter letter) {
    return record(letter).flatMap(record -> DeadLetter.of(completed(letter, record)));
  }

  private Optional<ConsumerRecord<byte[], byte[]>> record(DeadLetter letter) {
    Origin origin = letter.origin();
    Consumer<byte[], byte[]> asked = client();
    if (!isThere(asked, origin.partition())) {
      return Optional.empty();
    }
    List<ConsumerRecord<byte[], byte[]>> found = new ArrayList<>();
    new PartitionReader(scope, asked)
        .read(origin.partition(), origin.offset(), origin.offset() + 1, found::add);
    return found.stream().filter(record -> isOf(letter, record)).findFirst();
  }

  private Consumer<byte[], byte[]> client() {
    Consumer<byte[], byte[]> made = client;
    if (made == null) {
      made = clients.get();
      client = made;
    }
    return made;
  }

  /** Of one that is not there, the client would look for the ends until its time-out. */
  private static boolean isThere(Consumer<?, ?> client, TopicPartition partition) {
    return client.partitionsFor(partition.topic()).stream()
        .anyMatch(info -> info.partition() == partition.partition());
  }

  private static boolean isOf(DeadLetter letter, ConsumerRecord<byte[], byte[]> record) {
    return record.timestamp() == letter.origin().timestamp().toEpochMilli()
        && (isKeyLeftOut(letter) || Arrays.equals(letter.keyBytes(), record.key()));
  }

  private static boolean isKeyLeftOut(DeadLetter letter) {
    Header trimmed = letter.headers().lastHeader(DeadLetterHeaders.TRIMMED);
    return List.of(new String(trimmed.value(), UTF_8).split(",", -1)).contains("key");
  }

  private static ConsumerRecord<byte[], byte[]> completed(
      DeadLetter letter, ConsumerRecord<byte[], byte[]> record) {
    Headers headers = new RecordHeaders();
    for (Header header : record.headers()) {
      if (!header.key().startsWith(DeadLetterHeaders.PREFIX)) {
        headers.add(header);
      }
    }
    for (Header header : letter.headers()) {
      if (header.key().startsWith(DeadLetterHeaders.PREFIX)) {
        headers.add(header);
      }
    }
    headers.remove(DeadLetterHeaders.TRIMMED).remove(DeadLetterHeaders.REFERENCE);
    return new ConsumerRecord<>(
        letter.partition().topic(),
        letter.partition().partition(),
        letter.offset(),
        letter.time().toEpochMilli(),
        TimestampType.CREATE_TIME,
        ConsumerRecord.NULL_SIZE,
        ConsumerRecord.NULL_SIZE,
        record.key(),
        record.value(),
        headers,
        Optional.empty());
  }

  @Override
  public void close() {
    if (client != null) {
      client.close();
    }
  }
}
