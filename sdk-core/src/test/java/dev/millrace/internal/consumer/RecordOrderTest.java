package dev.millrace.internal.consumer;

import static dev.millrace.internal.consumer.EngineFixture.P0;
import static dev.millrace.internal.consumer.EngineFixture.P1;
import static dev.millrace.internal.consumer.EngineFixture.SOON;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millrace.config.KeylessRecords;
import dev.millrace.consumer.OrderingKey;
import dev.millrace.consumer.RecordContext;
import dev.millrace.consumer.RecordHandler;
import dev.millrace.errors.ConsumerFailedException;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.LongStream;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Which records wait for each other, and which do not. */
class RecordOrderTest {
  private final EngineFixture engine = new EngineFixture();

  /** The offsets of each order as they were begun and ended, the ends negative. */
  private final Map<String, List<Long>> steps = new ConcurrentHashMap<>();

  @AfterEach
  void close() {
    engine.close();
  }

  @Test
  void withoutKeysRecordsOfAPartitionRunAtTheSameTime() {
    engine.keys = offset -> null;
    engine.start(meeting());
    engine.assign(P0);
    engine.add(P0, 0, engine.permits);

    awaitCommit(P0, engine.permits);
  }

  @Test
  void inOneLaneRecordsWithoutAKeyAreInOrderWithinTheirPartition() {
    CyclicBarrier bothPartitions = new CyclicBarrier(2);
    engine.keylessRecords = KeylessRecords.LANE;
    engine.keys = offset -> null;
    engine.start(
        noting(
            context -> "partition " + context.partition(),
            (value, context) -> bothPartitions.await(SOON.toSeconds(), TimeUnit.SECONDS)));
    engine.assign(P0, P1);
    engine.add(P0, 0, 8);
    engine.add(P1, 0, 8);

    awaitCommit(P0, 8);
    awaitCommit(P1, 8);
    assertInOrder("partition 0", 8);
    assertInOrder("partition 1", 8);
  }

  @Test
  void aLaneForRecordsWithoutAKeyLeavesThoseWithKeysAlone() {
    CyclicBarrier bothKinds = new CyclicBarrier(2);
    engine.keylessRecords = KeylessRecords.LANE;
    engine.keys = offset -> offset % 2 == 0 ? null : "key";
    engine.start((value, context) -> bothKinds.await(SOON.toSeconds(), TimeUnit.SECONDS));
    engine.assign(P0);
    engine.add(P0, 0, 8);

    awaitCommit(P0, 8);
  }

  @Test
  void recordsWithOneOrderingKeyAreInOrderWhateverTheirKeys() {
    CyclicBarrier all = new CyclicBarrier(4);
    engine.orderingKey = record -> new byte[] {(byte) (record.offset() % 2)};
    engine.start(
        noting(
            context -> context.partition() + "/" + context.offset() % 2,
            (value, context) -> all.await(SOON.toSeconds(), TimeUnit.SECONDS)));
    engine.assign(P0, P1);
    engine.add(P0, 0, 8);
    engine.add(P1, 0, 8);

    // Two orders in each of two partitions: each handler has met one of each other order.
    awaitCommit(P0, 8);
    awaitCommit(P1, 8);
    for (String order : List.of("0/0", "0/1", "1/0", "1/1")) {
      int first = Integer.parseInt(order.substring(2)) + 1;
      assertThat(steps.get(order))
          .containsExactlyElementsOf(
              LongStream.of(first, first + 2, first + 4, first + 6)
                  .flatMap(offset -> LongStream.of(offset, -offset))
                  .boxed()
                  .toList());
    }
  }

  @Test
  void withoutAnOrderingKeyARecordIsLikeOneWithoutAKey() {
    engine.orderingKey = record -> null;
    engine.keys = offset -> "same";
    engine.start(meeting());
    engine.assign(P0);
    engine.add(P0, 0, engine.permits);

    awaitCommit(P0, engine.permits);
  }

  @Test
  void withoutAnOrderingKeyARecordMayHaveTheLaneOfItsPartition() {
    engine.keylessRecords = KeylessRecords.LANE;
    engine.orderingKey = record -> null;
    engine.start(noting(context -> "all", (value, context) -> {}));
    engine.assign(P0);
    engine.add(P0, 0, 8);

    awaitCommit(P0, 8);
    assertInOrder("all", 8);
  }

  @Test
  void aRecordWhoseOrderingKeyThrowsIsADeadLetterWithoutAnAttempt() {
    Queue<ProducerRecord<byte[], byte[]>> deadLetters = deadLetters();
    engine.orderingKey = throwingAt(3);
    engine.start(noting(context -> "handled", (value, context) -> {}));
    engine.assign(P0);
    engine.add(P0, 0, 8);

    awaitCommit(P0, 8);
    assertThat(steps.get("handled")).hasSize(14).doesNotContain(4L);
    assertThat(deadLetters)
        .singleElement()
        .satisfies(
            letter -> {
              assertThat(header(letter, "millrace-origin-offset")).isEqualTo("3");
              assertThat(header(letter, "millrace-attempts")).isEqualTo("1");
              assertThat(header(letter, "millrace-exception-message"))
                  .isEqualTo(
                      "The OrderingKey has thrown java.lang.StackOverflowError: no region at orders-0@3");
            });
    assertThat(engine.outcome("retried")).isZero();
  }

  @Test
  void inBatchesTooARecordWhoseOrderingKeyThrowsReachesNoHandler() {
    Queue<ProducerRecord<byte[], byte[]>> deadLetters = deadLetters();
    Queue<Long> handled = new ConcurrentLinkedQueue<>();
    engine.orderingKey = throwingAt(3);
    engine.startBatch(records -> records.forEach(record -> handled.add(record.context().offset())));
    engine.assign(P0);
    engine.add(P0, 0, 8);

    awaitCommit(P0, 8);
    assertThat(handled).containsExactlyInAnyOrder(0L, 1L, 2L, 4L, 5L, 6L, 7L);
    assertThat(deadLetters).hasSize(1);
  }

  @Test
  void withoutDeadLettersAnOrderingKeyThatThrowsStopsTheConsumerAtTheRecord() {
    engine.permits = 1; // Or the stop overtakes those before it, which then don't start.
    engine.orderingKey = throwingAt(3);
    engine.start((value, context) -> {});
    engine.assign(P0);
    engine.add(P0, 0, 8);

    assertThatThrownBy(() -> engine.handle().awaitClosed(SOON))
        .isInstanceOf(ConsumerFailedException.class)
        .hasMessageContaining("Consumer 'engine-test' stopped at orders-0@3")
        .hasMessageContaining("The OrderingKey has thrown java.lang.StackOverflowError: no region")
        .hasRootCauseInstanceOf(StackOverflowError.class);
    assertThat(engine.consumer.lastCommit(P0)).isEqualTo(3);
  }

  private OrderingKey throwingAt(long offset) {
    return record -> {
      if (record.offset() == offset) {
        throw new StackOverflowError("no region");
      }
      return record.key();
    };
  }

  private Queue<ProducerRecord<byte[], byte[]>> deadLetters() {
    Queue<ProducerRecord<byte[], byte[]>> sent = new ConcurrentLinkedQueue<>();
    engine.deadLetterSender =
        letter -> {
          sent.add(letter);
          return CompletableFuture.completedFuture(new RecordMetadata(P0, 0, 0, 0, 0, 0));
        };
    return sent;
  }

  private static String header(ProducerRecord<byte[], byte[]> letter, String name) {
    return new String(letter.headers().lastHeader(name).value(), UTF_8);
  }

  /** Passes only if all permits are inside at the same time. */
  private RecordHandler<String> meeting() {
    CyclicBarrier all = new CyclicBarrier(engine.permits);
    return (value, context) -> all.await(SOON.toSeconds(), TimeUnit.SECONDS);
  }

  private RecordHandler<String> noting(
      Function<RecordContext, String> order, RecordHandler<String> work) {
    return (value, context) -> {
      List<Long> noted =
          steps.computeIfAbsent(order.apply(context), first -> new CopyOnWriteArrayList<>());
      noted.add(context.offset() + 1);
      work.handle(value, context);
      noted.add(-(context.offset() + 1));
    };
  }

  private void assertInOrder(String order, int records) {
    assertThat(steps.get(order))
        .containsExactlyElementsOf(
            LongStream.rangeClosed(1, records)
                .flatMap(offset -> LongStream.of(offset, -offset))
                .boxed()
                .toList());
  }

  private void awaitCommit(TopicPartition partition, long offset) {
    await()
        .untilAsserted(() -> assertThat(engine.consumer.lastCommit(partition)).isEqualTo(offset));
  }
}
