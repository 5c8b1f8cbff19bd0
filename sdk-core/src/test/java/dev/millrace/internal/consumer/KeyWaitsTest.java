package dev.millrace.internal.consumer;

import static dev.millrace.internal.consumer.EngineFixture.P0;
import static dev.millrace.internal.consumer.EngineFixture.P1;
import static dev.millrace.internal.consumer.EngineFixture.P2;
import static dev.millrace.internal.consumer.EngineFixture.RETRY;
import static dev.millrace.internal.consumer.EngineFixture.SOON;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.ConsumerExplanation.FollowsKey;
import dev.millrace.consumer.ConsumerExplanation.Partition;
import dev.millrace.consumer.ConsumerExplanation.PauseCause;
import dev.millrace.internal.keys.FakeRetryLogs;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Records that wait where they are for those of their key that went ahead to a retry topic. */
class KeyWaitsTest {
  private final FakeRetryLogs logs = new FakeRetryLogs();
  private final EngineFixture engine = new EngineFixture();
  private final Queue<Long> handled = new ConcurrentLinkedQueue<>();
  private final AtomicLong sent = new AtomicLong();

  KeyWaitsTest() {
    logs.ends.put(RETRY, 100_000L);
    logs.ends.put(new TopicPartition(RETRY.topic(), 1), 100_000L);
    logs.ends.put(new TopicPartition(RETRY.topic(), 2), 100_000L);
    engine.attempts = 1;
    engine.retryDelays = List.of(Duration.ofMillis(1));
    engine.retryLogs = logs;
    engine.keys = offset -> "same";
    engine.deadLetterSender = this::send;
  }

  @AfterEach
  void close() {
    engine.close();
  }

  @Test
  void whatWaitsTakesNoRoomFromOtherKeys() {
    engine.keys = offset -> offset < 2 || offset % 2 == 0 ? "same" : "other-" + offset;
    begin(P0, RETRY);
    engine.add(P0, 0, 200);

    await().atMost(SOON).untilAsserted(() -> assertThat(handled).hasSize(99));
    awaitResting(100);
    // In the moment in which it asks for its key again it takes room.
    await()
        .atMost(SOON)
        .untilAsserted(() -> assertThat(engine.explained().channel().records()).isZero());
    await().atMost(SOON).untilAsserted(() -> assertThat(engine.consumer.paused()).isEmpty());

    logs.committed.put(RETRY, 1L);
    await().atMost(SOON).untilAsserted(() -> assertThat(handled).hasSize(199));
    awaitResting(0);
  }

  @Test
  void whatWaitsLeavesWithItsPartition() {
    begin(P0, RETRY);
    engine.add(P0, 0, 50);
    awaitResting(49);

    engine.leave(P0);

    awaitResting(0);
    engine.awaitInFlight(0);
    assertThat(handled).isEmpty();
  }

  /** Its key has something on its way there at each look, since its records keep coming. */
  @Test
  void whatWaitsAtTheDoorRestsUntilItsKeyIsBack() {
    engine.deadLetterSender =
        record -> CompletableFuture.completedFuture(acknowledged(sent.getAndIncrement()));
    begin(P0, RETRY);
    long next = 0;
    while (engine.gauge("millrace.consumer.resting") == 0) {
      engine.add(P0, next++, 1);
      long known = next;
      assertThat(known).as("nothing ever waited").isLessThan(200);
      await()
          .atMost(SOON)
          .until(() -> sent.get() == known || engine.gauge("millrace.consumer.resting") == 1);
      logs.committed.put(RETRY, known - 1);
    }
    long waits = next - 1;
    engine.add(P0, next, 1);
    awaitResting(2);
    assertThat(sent).as("the door is shut").hasValue(waits);
    assertThat(explained(P0).oldest())
        .hasValueSatisfying(oldest -> assertThat(oldest.activity()).isInstanceOf(FollowsKey.class));

    logs.committed.put(RETRY, waits);

    await().atMost(SOON).untilAsserted(() -> assertThat(handled).containsExactly(waits, waits + 1));
    awaitResting(0);
  }

  /** Else it would wait for ever: it is behind what waits for it. */
  @Test
  void whatWaitsDoesNotFillTheChannelBeforeWhatItWaitsFor() {
    engine.channelBytes = 2_000;
    begin(P0, P1, RETRY);
    engine.add(P0, 0, 300);
    engine.add(P1, 0, 300);
    awaitPaused(PauseCause.CHANNEL_FULL);

    addToRetryTopic();

    await().atMost(SOON).untilAsserted(() -> assertThat(handled).containsExactly(4L));
  }

  @Test
  void asManyAsMayRestDoNotKeepOutWhatTheyWaitFor() {
    engine.channelBytes = 1 << 30;
    begin(P0, P1, P2, RETRY);
    engine.consumer.setMaxPollRecords(1_000);
    for (TopicPartition partition : Set.of(P0, P1, P2)) {
      engine.add(partition, 0, 20_000);
    }
    awaitPaused(PauseCause.RESTING_FULL);

    addToRetryTopic();

    await().atMost(SOON).untilAsserted(() -> assertThat(handled).containsExactly(4L));
  }

  /** The first record fails, and the one behind it is too large to follow it. */
  private CompletableFuture<RecordMetadata> send(ProducerRecord<byte[], byte[]> record) {
    byte[] offset = record.headers().lastHeader("millrace-retry-origin-offset").value();
    return new String(offset, UTF_8).equals("0")
        ? CompletableFuture.completedFuture(acknowledged(0))
        : CompletableFuture.failedFuture(new RecordTooLargeException("too large"));
  }

  private static RecordMetadata acknowledged(long offset) {
    return new RecordMetadata(RETRY, offset, 0, 0, 0, 0);
  }

  private void begin(TopicPartition... partitions) {
    engine.start(
        (value, context) -> {
          if (context.offset() == 0) {
            throw new IllegalStateException("out of stock");
          }
          handled.add(context.offset());
        });
    engine.assign(partitions);
  }

  /** It was at offset 4 in its own topic. */
  private void addToRetryTopic() {
    ConsumerRecord<byte[], byte[]> record =
        new ConsumerRecord<>(RETRY.topic(), 0, 0, "same".getBytes(UTF_8), new byte[0]);
    Map.of("topic", "orders", "partition", "0", "offset", "4", "timestamp", "0")
        .forEach(
            (name, text) ->
                record.headers().add("millrace-retry-origin-" + name, text.getBytes(UTF_8)));
    record.headers().add("millrace-retry-attempts", "1".getBytes(UTF_8));
    record.headers().add("millrace-retry-first-failure", "0".getBytes(UTF_8));
    engine.consumer.schedulePollTask(
        () -> {
          engine.consumer.updateEndOffsets(Map.of(RETRY, 1L));
          engine.consumer.addRecord(record);
        });
  }

  private void awaitResting(int records) {
    await()
        .atMost(SOON)
        .untilAsserted(
            () -> assertThat(engine.gauge("millrace.consumer.resting")).isEqualTo(records));
  }

  private void awaitPaused(PauseCause cause) {
    await().atMost(SOON).untilAsserted(() -> assertThat(explained(P0).pauses()).containsKey(cause));
  }

  private Partition explained(TopicPartition name) {
    return engine.explained().partitions().stream()
        .filter(partition -> partition.partition().equals(name))
        .findFirst()
        .orElseThrow();
  }
}
