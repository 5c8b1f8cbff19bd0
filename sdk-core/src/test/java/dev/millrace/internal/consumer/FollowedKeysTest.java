package dev.millrace.internal.consumer;

import static dev.millrace.internal.consumer.EngineFixture.P0;
import static dev.millrace.internal.consumer.EngineFixture.RETRY;
import static dev.millrace.internal.consumer.EngineFixture.SOON;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.config.IdempotencyDefinition;
import dev.millrace.config.KeylessRecords;
import dev.millrace.config.MessageIdKey;
import dev.millrace.config.MissingId;
import dev.millrace.config.Ordering;
import dev.millrace.config.RateLimitDefinition;
import dev.millrace.config.RetryDefinition;
import dev.millrace.config.RetryTopicsDefinition;
import dev.millrace.consumer.ConsumerExplanation.FollowsKey;
import dev.millrace.consumer.ConsumerExplanation.Partition;
import dev.millrace.consumer.ConsumerExplanation.PauseCause;
import dev.millrace.errors.InvalidDefinitionException;
import dev.millrace.idempotency.InMemoryIdempotencyStore;
import dev.millrace.internal.delivery.Handling;
import dev.millrace.internal.idempotency.Idempotency;
import dev.millrace.internal.keys.FakeRetryLogs;
import dev.millrace.internal.keys.KeyOrder;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** An engine whose records follow their keys, beside retry topics that are what a test says. */
class FollowedKeysTest {
  private final FakeRetryLogs logs = new FakeRetryLogs();
  private final EngineFixture engine = new EngineFixture();
  private final Queue<Long> handled = new ConcurrentLinkedQueue<>();
  private final Queue<ProducerRecord<byte[], byte[]>> sent = new ConcurrentLinkedQueue<>();
  private final AtomicLong offsets = new AtomicLong();

  FollowedKeysTest() {
    logs.ends.put(RETRY, 100L);
    engine.attempts = 1;
    engine.retryDelays = List.of(Duration.ofHours(1));
    engine.retryLogs = logs;
    engine.keys = offset -> "same";
    engine.deadLetterSender =
        record -> {
          sent.add(record);
          return CompletableFuture.completedFuture(
              new RecordMetadata(RETRY, offsets.getAndIncrement(), 0, 0, 0, 0));
        };
  }

  @AfterEach
  void close() {
    engine.close();
  }

  @Test
  void laterRecordsOfAKeyFollowTheFirstUntilNothingOfItIsLeftThere() {
    begin();
    engine.add(P0, 0, 3);

    await().atMost(SOON).until(() -> engine.outcome("followed-key") == 2);
    await().atMost(SOON).until(() -> engine.gauge("millrace.consumer.keys.ahead") == 1);
    assertThat(handled).isEmpty();
    assertThat(engine.outcome("retry-topic")).isEqualTo(1);
    assertThat(sent).extracting(ProducerRecord::partition).containsExactly(0, 0, 0);
    assertThat(sent)
        .extracting(record -> header(record, "millrace-retry-origin-offset"))
        .containsExactly("0", "1", "2");
    assertThat(sent)
        .extracting(record -> header(record, "millrace-retry-follows-key"))
        .containsExactly(null, "true", "true");
    assertThat(sent)
        .extracting(record -> header(record, "millrace-retry-attempts"))
        .containsExactly("1", "0", "0");

    logs.committed.put(RETRY, 3L);
    await().atMost(SOON).until(() -> engine.gauge("millrace.consumer.keys.ahead") == 0);
    engine.add(P0, 3, 1);
    await().atMost(SOON).untilAsserted(() -> assertThat(handled).containsExactly(3L));
  }

  @Test
  void otherKeysFollowNothing() {
    engine.keys = offset -> "key-" + offset;
    begin();
    engine.add(P0, 0, 3);

    await().atMost(SOON).untilAsserted(() -> assertThat(handled).containsExactlyInAnyOrder(1L, 2L));
    assertThat(sent).hasSize(1);
  }

  @Test
  void recordsWithoutAKeyFollowNothing() {
    engine.keys = offset -> null;
    begin();
    engine.add(P0, 0, 3);

    await().atMost(SOON).untilAsserted(() -> assertThat(handled).containsExactlyInAnyOrder(1L, 2L));
    assertThat(sent).singleElement().extracting(ProducerRecord::partition).isNull();
  }

  @Test
  void recordsWithoutAKeyThatHaveAnOrderFollow() {
    engine.keys = offset -> null;
    engine.keylessRecords = KeylessRecords.LANE;
    begin();
    engine.add(P0, 0, 3);

    await().atMost(SOON).until(() -> engine.outcome("followed-key") == 2);
    assertThat(handled).isEmpty();
  }

  @Test
  void itIsTheOrderingKeyThatIsFollowed() {
    engine.keys = offset -> "key-" + offset;
    engine.orderingKey = record -> new byte[] {(byte) (record.offset() % 2)};
    begin();
    engine.add(P0, 0, 4);

    await().atMost(SOON).untilAsserted(() -> assertThat(handled).containsExactly(1L, 3L));
    await().atMost(SOON).until(() -> engine.outcome("followed-key") == 1);
  }

  @Test
  void nothingIsTakenBeforeItIsKnownWhichKeysAreAhead() {
    logs.fails = true;
    begin();
    engine.add(P0, 5, 1);

    await().atMost(SOON).until(() -> explained(P0).pauses().containsKey(PauseCause.KEYS_NOT_KNOWN));
    assertThat(explained(P0).verdict())
        .startsWith("held back until it is known which of its keys are in retry topics since ");
    assertThat(explained(RETRY).pauses()).as("nothing follows from the last one").isEmpty();
    engine.letTurnsPass();
    assertThat(handled).isEmpty();

    logs.fails = false;
    await().atMost(SOON).untilAsserted(() -> assertThat(handled).containsExactly(5L));
    assertThat(explained(P0).pauses()).isEmpty();
  }

  @Test
  void whatEarlierOwnersHadSentAheadIsFollowed() {
    logs.records.add(
        new ConsumerRecord<>(RETRY.topic(), 0, 7, "other".getBytes(UTF_8), new byte[0]));
    logs.records.add(inRetryTopic(8));
    logs.committed.put(RETRY, 7L);
    logs.ends.put(RETRY, 9L);
    begin();
    engine.add(P0, 5, 2);

    await().atMost(SOON).until(() -> engine.outcome("followed-key") == 2);
    assertThat(handled).isEmpty();
  }

  @Test
  void whatHasEndedThereIsNotFollowed() {
    logs.records.add(inRetryTopic(8));
    logs.committed.put(RETRY, 9L);
    logs.ends.put(RETRY, 9L);
    begin();
    engine.add(P0, 5, 1);

    await().atMost(SOON).untilAsserted(() -> assertThat(handled).containsExactly(5L));
    assertThat(sent).isEmpty();
  }

  @Test
  void itIsToldOfARecordThatItFollows() {
    CompletableFuture<RecordMetadata> answer = new CompletableFuture<>();
    engine.deadLetterSender =
        record -> {
          sent.add(record);
          return sent.size() > 1
              ? answer
              : CompletableFuture.completedFuture(new RecordMetadata(RETRY, 0, 0, 0, 0, 0));
        };
    begin();
    engine.add(P0, 0, 3);

    await().atMost(SOON).until(this::isFollowing);
    assertThat(explained(P0).verdict())
        .startsWith("waits for orders-0@1, which has waited for ")
        .contains("since its key is in a retry topic");
    engine.letTurnsPass();
    assertThat(sent).as("one at a time, each after the one before").hasSize(2);

    answer.complete(new RecordMetadata(RETRY, 1, 0, 0, 0, 0));
    await().atMost(SOON).until(() -> engine.outcome("followed-key") == 2);
    assertThat(sent)
        .extracting(record -> header(record, "millrace-retry-origin-offset"))
        .containsExactly("0", "1", "2");
  }

  /** Its send may have arrived unheard: handled here, it would come again after later ones. */
  @Test
  void aRecordThatWasToFollowDoesSoEvenWhenItsKeyHasComeBackMeanwhile() {
    AtomicBoolean unheard = new AtomicBoolean(true);
    engine.deadLetterSender =
        record -> {
          sent.add(record);
          return sent.size() > 1 && unheard.get()
              ? CompletableFuture.failedFuture(new TimeoutException("no answer"))
              : CompletableFuture.completedFuture(new RecordMetadata(RETRY, 0, 0, 0, 0, 0));
        };
    begin();
    engine.add(P0, 0, 2);
    await().atMost(SOON).until(() -> sent.size() > 1);
    logs.committed.put(RETRY, 1L);
    await().atMost(SOON).until(() -> engine.gauge("millrace.consumer.keys.ahead") == 0);

    unheard.set(false);
    await().atMost(SOON).until(() -> engine.outcome("followed-key") == 1);
    assertThat(handled).isEmpty();
  }

  @Test
  void aRecordThatIsTooLargeToFollowWaitsForItsKeyInstead() {
    theSecondIsTooLarge();
    begin();
    engine.add(P0, 0, 3);

    await().atMost(SOON).until(() -> sent.size() == 2 && isFollowing());
    engine.letTurnsPass();
    assertThat(handled).isEmpty();
    assertThat(sent).as("nor does any other follow past it").hasSize(2);

    logs.committed.put(RETRY, 1L);
    await().atMost(SOON).untilAsserted(() -> assertThat(handled).containsExactly(1L, 2L));
    assertThat(sent).hasSize(2);
  }

  @Test
  void aRecordThatWaitsForItsKeyDoesNotStandBeforeWhatItWaitsFor() {
    theSecondIsTooLarge();
    begin();
    engine.add(P0, 0, 2);
    await().atMost(SOON).until(() -> sent.size() == 2 && isFollowing());

    engine.consumer.schedulePollTask(
        () -> {
          engine.consumer.updateEndOffsets(Map.of(RETRY, 1L));
          engine.consumer.addRecord(inRetryTopic(0));
        });
    await().atMost(SOON).untilAsserted(() -> assertThat(handled).containsExactly(4L));
  }

  @Test
  void whatFollowsNeedsNoLeaveToStartAndClaimsNoMessage() {
    Queue<String> claimed = new ConcurrentLinkedQueue<>();
    engine.rateLimit = new RateLimitDefinition(1, Duration.ofHours(1));
    engine.idempotency =
        new Idempotency(
            InMemoryIdempotencyStore.ofAtMost(10),
            new IdempotencyDefinition(
                MessageIdKey.HEADER,
                "unused",
                MissingId.FAIL,
                Duration.ofHours(1),
                Duration.ofHours(1)),
            "group",
            record -> {
              claimed.add(Long.toString(record.offset()));
              return Long.toString(record.offset());
            });
    begin();
    engine.add(P0, 0, 3);

    await().atMost(SOON).until(() -> engine.outcome("followed-key") == 2);
    assertThat(claimed).containsExactly("0");
    assertThat(handled).isEmpty();
  }

  @Test
  void aRecordThatIsSkippedWhereItWaitsForItsKeyIsPassedOver() {
    theSecondIsTooLarge();
    begin();
    engine.add(P0, 0, 2);
    await().atMost(SOON).until(() -> sent.size() == 2 && isFollowing());

    assertThat(engine.handle().skip(P0, 1)).succeedsWithin(SOON);
    await().atMost(SOON).until(() -> engine.outcome("skipped") == 1);
    logs.committed.put(RETRY, 1L);
    await().atMost(SOON).until(() -> engine.gauge("millrace.consumer.keys.ahead") == 0);
    engine.add(P0, 2, 1);
    await().atMost(SOON).untilAsserted(() -> assertThat(handled).containsExactly(2L));
  }

  @Test
  void handlersOfBatchesAreRefused() {
    ConsumerDefinition definition =
        TestDefinitions.consumer(
            Ordering.KEY, 4, 40, 1, false, Duration.ofMillis(100), Duration.ZERO);
    ConsumerDefinition kept =
        definition.withRetry(
            new RetryDefinition(
                1,
                definition.retry().backoff(),
                new RetryTopicsDefinition(
                    List.of(Duration.ofSeconds(1)),
                    RetryTopicsDefinition.DEFAULT_NAMES,
                    true,
                    true)));

    assertThatThrownBy(
            () -> KeyOrder.requireOffered(kept, Handling.<String>inBatches(records -> {})))
        .isInstanceOf(InvalidDefinitionException.class)
        .hasMessageContaining("Consumer 'engine-test': a handler of batches");
    KeyOrder.requireOffered(definition, Handling.<String>inBatches(records -> {}));
    KeyOrder.requireOffered(kept, Handling.<String>inWorker((value, context) -> {}));
  }

  /** The record at offset 0 fails. */
  private void begin() {
    engine.start(
        (value, context) -> {
          if (context.offset() == 0) {
            throw new IllegalStateException("out of stock");
          }
          handled.add(context.offset());
        });
    engine.assign(P0, RETRY);
  }

  private void theSecondIsTooLarge() {
    engine.deadLetterSender =
        record -> {
          sent.add(record);
          return sent.size() == 2
              ? CompletableFuture.failedFuture(new RecordTooLargeException("too large"))
              : CompletableFuture.completedFuture(new RecordMetadata(RETRY, 0, 0, 0, 0, 0));
        };
  }

  private boolean isFollowing() {
    return explained(P0).oldest().stream()
        .anyMatch(oldest -> oldest.activity() instanceof FollowsKey);
  }

  /** It was at offset 4 in its own topic. */
  private static ConsumerRecord<byte[], byte[]> inRetryTopic(long offset) {
    ConsumerRecord<byte[], byte[]> record =
        new ConsumerRecord<>(RETRY.topic(), 0, offset, "same".getBytes(UTF_8), new byte[0]);
    Map.of("topic", "orders", "partition", "0", "offset", "4", "timestamp", "0")
        .forEach(
            (name, text) ->
                record.headers().add("millrace-retry-origin-" + name, text.getBytes(UTF_8)));
    record.headers().add("millrace-retry-attempts", "1".getBytes(UTF_8));
    record.headers().add("millrace-retry-first-failure", "0".getBytes(UTF_8));
    return record;
  }

  private Partition explained(TopicPartition name) {
    return engine.explained().partitions().stream()
        .filter(partition -> partition.partition().equals(name))
        .findFirst()
        .orElseThrow();
  }

  private static @Nullable String header(ProducerRecord<byte[], byte[]> record, String name) {
    return record.headers().lastHeader(name) == null
        ? null
        : new String(Objects.requireNonNull(record.headers().lastHeader(name)).value(), UTF_8);
  }
}
