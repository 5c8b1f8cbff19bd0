package dev.millrace.internal.consumer;

import static dev.millrace.internal.consumer.EngineFixture.P0;
import static dev.millrace.internal.consumer.EngineFixture.RETRY;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.LogTruncationException;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What waits in a retry topic survives seeks, retention and cuts of its log. */
class MovedRetryTopicTest {
  private final EngineFixture engine = new EngineFixture("none");
  private final Queue<Long> handled = new ConcurrentLinkedQueue<>();

  @AfterEach
  void leavesNothing() {
    engine.close();
  }

  /** As what is in flight is (whatIsInFlightWhenRetentionOvertakesItIsStillHandled). */
  @Test
  void whatWaitsInMemoryWhenRetentionOvertakesItIsStillHandled() {
    start(Duration.ofSeconds(2));
    engine.consumer.schedulePollTask(() -> addNow(0, 5));
    soon().until(() -> engine.consumer.position(RETRY) == 5);

    engine.consumer.schedulePollTask(
        () -> {
          engine.consumer.updateBeginningOffsets(Map.of(RETRY, 50L));
          addNow(50, 3);
        });

    soon().until(() -> handled.contains(52L));
    assertThat(handled).containsExactlyInAnyOrder(0L, 1L, 2L, 3L, 4L, 50L, 51L, 52L);
  }

  /** As a topic's own log is (afterAnUncleanElectionTheLogIsReadOnAtTheCut). */
  @Test
  void aRetryTopicThatWasCutIsReadOnAtTheCutAndNotFromItsBeginning() {
    start(Duration.ofSeconds(5));
    engine.consumer.schedulePollTask(() -> addOld(0, 10));
    soon().untilAsserted(() -> assertThat(engine.consumer.lastCommit(RETRY)).isEqualTo(10));
    assertThat(handled).hasSize(10);
    engine.consumer.schedulePollTask(() -> addNow(10, 10));
    soon().until(() -> engine.consumer.position(RETRY) == 20);

    // Of the ten that wait the log has lost all, and one before: it goes on at 9.
    engine.consumer.schedulePollTask(() -> engine.consumer.updateEndOffsets(Map.of(RETRY, 9L)));
    raise(
        new LogTruncationException(
            Map.of(RETRY, 20L), Map.of(RETRY, new OffsetAndMetadata(9, Optional.of(1), ""))));
    soon().until(() -> engine.consumer.position(RETRY) != 20);
    long next = engine.consumer.position(RETRY);
    if (next != 9) { // As the brokers do with a position beyond the end.
      raise(new OffsetOutOfRangeException(Map.of(RETRY, next)));
    }

    assertThat(engine.consumer.position(RETRY)).isEqualTo(9);
  }

  /** README: "handleTheLastHourAgain" seeks in consumer.assignment(). */
  @Test
  void toHandleTheLastHourAgainLosesNothingOfWhatWaitsForLonger() {
    start(Duration.ofSeconds(2));
    engine.consumer.schedulePollTask(() -> addNow(0, 5));
    soon().until(() -> engine.consumer.position(RETRY) == 5);

    // The fake client has timestamps that equal offsets: three of the five were written before.
    engine.handle().seekToTimestamp(engine.handle().assignment(), Instant.ofEpochMilli(3)).join();
    engine.consumer.schedulePollTask(
        () -> addNow(engine.consumer.position(RETRY), (int) (5 - engine.consumer.position(RETRY))));

    soon().until(() -> handled.contains(4L));
    assertThat(handled).contains(0L, 1L, 2L, 3L, 4L);
  }

  private void start(Duration delay) {
    engine.retryDelays = List.of(delay);
    engine.deadLetterSender =
        failed -> {
          throw new AssertionError("None fails.");
        };
    engine.start((value, context) -> handled.add(context.offset()));
    engine.assign(P0, RETRY);
  }

  private void addNow(long from, int count) {
    add(from, count, System.currentTimeMillis());
  }

  /** Due. */
  private void addOld(long from, int count) {
    add(from, count, 0);
  }

  private void add(long from, int count, long written) {
    long end = engine.consumer.endOffsets(List.of(RETRY)).get(RETRY);
    engine.consumer.updateEndOffsets(Map.of(RETRY, Math.max(end, from + count)));
    byte[] value = "value".getBytes(StandardCharsets.UTF_8);
    for (long offset = from; offset < from + count; offset++) {
      engine.consumer.addRecord(
          new ConsumerRecord<>(
              RETRY.topic(),
              RETRY.partition(),
              offset,
              written,
              TimestampType.CREATE_TIME,
              -1,
              value.length,
              null,
              value,
              new RecordHeaders(),
              Optional.empty()));
    }
  }

  private void raise(KafkaException exception) {
    engine.consumer.schedulePollTask(() -> engine.consumer.setPollException(exception));
    engine.letTurnsPass();
  }

  private static ConditionFactory soon() {
    return await().atMost(Duration.ofSeconds(15));
  }
}
