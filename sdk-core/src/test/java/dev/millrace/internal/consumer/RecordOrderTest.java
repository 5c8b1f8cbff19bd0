package dev.millrace.internal.consumer;

import static dev.millrace.internal.consumer.EngineFixture.P0;
import static dev.millrace.internal.consumer.EngineFixture.P1;
import static dev.millrace.internal.consumer.EngineFixture.SOON;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.config.KeylessRecords;
import dev.millrace.consumer.RecordContext;
import dev.millrace.consumer.RecordHandler;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.LongStream;
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
