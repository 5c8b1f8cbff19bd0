package dev.millrace.internal.consumer;

import static dev.millrace.internal.consumer.EngineFixture.P0;
import static dev.millrace.internal.consumer.EngineFixture.RETRY;
import static dev.millrace.internal.consumer.EngineFixture.SOON;
import static dev.millrace.internal.consumer.EngineFixture.hold;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.config.IdempotencyDefinition;
import dev.millrace.config.MessageIdKey;
import dev.millrace.config.MissingId;
import dev.millrace.consumer.ConsumerExplanation.PauseCause;
import dev.millrace.consumer.ConsumerExplanation.WaitsForRetryTopic;
import dev.millrace.consumer.RecordHandler;
import dev.millrace.consumer.SkipResult;
import dev.millrace.deadletter.DeadLetterHeaders;
import dev.millrace.idempotency.Begun;
import dev.millrace.idempotency.Claim;
import dev.millrace.internal.delivery.RedriveMark;
import dev.millrace.internal.idempotency.Idempotency;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What else is done with records holds for those that come by way of a retry topic. What is sent
 * there comes back as the next record of that topic.
 */
class ThroughRetryTopicTest {
  private static final Duration FOR_EVER = Duration.ofHours(1);
  private static final Duration AT_ONCE = Duration.ofMillis(1);

  private final EngineFixture engine = new EngineFixture();
  private final WatchedStore store = new WatchedStore();
  private final Queue<String> handled = new ConcurrentLinkedQueue<>();
  private final Queue<ProducerRecord<byte[], byte[]>> deadLetters = new ConcurrentLinkedQueue<>();
  private final AtomicInteger inRetryTopic = new AtomicInteger();
  private final CountDownLatch running = new CountDownLatch(1);

  ThroughRetryTopicTest() {
    engine.attempts = 1;
    engine.retryDelays = List.of(AT_ONCE);
    engine.deadLetterSender = this::comesBack;
  }

  @AfterEach
  void close() {
    engine.close();
  }

  // ---- skips

  @Test
  void oneThatNoRetryTopicTakesIsSkippedAndItsKeyGoesOn() {
    engine.keys = offset -> "same";
    engine.deadLetterSender =
        failed -> CompletableFuture.failedFuture(new TimeoutException("no such topic"));
    begin(failsAt(0));
    engine.add(P0, 0, 2);
    await()
        .atMost(SOON)
        .until(
            () ->
                engine.explained().partitions().stream()
                    .flatMap(partition -> partition.oldest().stream())
                    .anyMatch(oldest -> oldest.activity() instanceof WaitsForRetryTopic));

    await().atMost(SOON).until(() -> skip(P0, 0) == SkipResult.SKIPPED);

    awaitAllDone(P0, 2);
    assertThat(handled).containsExactly("orders-0@1#1");
    assertThat(engine.outcome("retry-topic")).isZero();
    assertThat(engine.outcome("skipped")).isEqualTo(1);
  }

  /** Without the skip the first would be tried again, and the second stop the consumer. */
  @ParameterizedTest
  @MethodSource("failures")
  void oneThatIsOnItsWayIsSkippedWhenThatFails(ApiException failure) {
    Queue<CompletableFuture<RecordMetadata>> sent = new ConcurrentLinkedQueue<>();
    engine.deadLetterSender =
        failed -> {
          CompletableFuture<RecordMetadata> answer = new CompletableFuture<>();
          sent.add(answer);
          return answer;
        };
    begin(failsAt(0));
    engine.add(P0, 0, 2);
    await().atMost(SOON).until(() -> !sent.isEmpty());

    assertThat(skip(P0, 0)).isEqualTo(SkipResult.WHEN_IT_FAILS);
    sent.remove().completeExceptionally(failure);

    awaitAllDone(P0, 2);
    assertThat(sent).isEmpty();
    assertThat(engine.outcome("skipped")).isEqualTo(1);
  }

  static List<ApiException> failures() {
    return List.of(
        new TimeoutException("no such topic"), new RecordTooLargeException("with its headers"));
  }

  /** With a handler whose stage another thread completes, a worker is to send it. */
  @Test
  void oneThatIsToBeSkippedIsNotSentWhenItsStageFails() {
    CompletableFuture<Void> stage = new CompletableFuture<>();
    engine.startAsync(
        (value, context) -> {
          running.countDown();
          return stage;
        });
    engine.assign(P0, RETRY);
    engine.add(P0, 0, 1);
    hold(running);

    assertThat(skip(P0, 0)).isEqualTo(SkipResult.WHEN_IT_FAILS);
    stage.completeExceptionally(new IllegalStateException("out of stock"));

    awaitAllDone(P0, 1);
    assertThat(inRetryTopic).hasValue(0);
    assertThat(engine.outcome("skipped")).isEqualTo(1);
  }

  @Test
  void oneThatIsNotDueIsSkippedWhereItWaits() {
    engine.retryDelays = List.of(FOR_EVER);
    begin(failsAt(0));
    engine.add(P0, 0, 1);
    awaitNotDue();
    awaitAllDone(P0, 1);

    assertThat(skip(RETRY, 1)).isEqualTo(SkipResult.NOT_TAKEN);
    assertThat(skip(RETRY, 0)).isEqualTo(SkipResult.SKIPPED);

    awaitAllDone(RETRY, 1);
    assertThat(engine.outcome("skipped")).isEqualTo(1);
    assertThat(skip(RETRY, 0)).isEqualTo(SkipResult.ENDED_BEFORE);
    assertThat(engine.explained().partitions())
        .allSatisfy(partition -> assertThat(partition.pauses()).isEmpty());
    assertThat(handled).isEmpty();
  }

  @Test
  void noCommitPassesWhatWaitsBeforeOneThatIsSkipped() {
    engine.retryDelays = List.of(FOR_EVER);
    begin(
        (value, context) -> {
          throw new IllegalStateException("out of stock");
        });
    engine.add(P0, 0, 3);
    await().atMost(SOON).until(() -> skip(RETRY, 1) == SkipResult.SKIPPED);

    assertThat(skip(RETRY, 1)).isEqualTo(SkipResult.ENDED_BEFORE);
    engine.letTurnsPass();
    assertThat(engine.consumer.commits).noneMatch(commit -> commit.containsKey(RETRY));
    assertThat(skip(RETRY, 0)).isEqualTo(SkipResult.SKIPPED);
    awaitAllDone(RETRY, 2);
    await().atMost(SOON).until(() -> skip(RETRY, 2) == SkipResult.SKIPPED);
    awaitAllDone(RETRY, 3);
    assertThat(engine.outcome("skipped")).isEqualTo(3);
  }

  @Test
  void oneThatRunsIsSkippedByItsPlaceInTheRetryTopic() {
    begin(
        (value, context) -> {
          if (context.attempt() == 2) {
            running.countDown();
            hold(engine.release);
          }
          throw new IllegalStateException("out of stock");
        });
    engine.add(P0, 0, 1);
    hold(running);

    assertThat(skip(P0, 0)).isEqualTo(SkipResult.ENDED_BEFORE);
    assertThat(skip(RETRY, 0)).isEqualTo(SkipResult.WHEN_IT_FAILS);
    engine.release.countDown();

    awaitAllDone(RETRY, 1);
    assertThat(deadLetters).isEmpty();
    assertThat(engine.outcome("skipped")).isEqualTo(1);
  }

  // ---- redriven records

  @Test
  void aRedrivenRecordKeepsItsMark() {
    begin(
        (value, context) -> {
          handled.add(context.toString());
          throw new IllegalStateException("out of stock");
        });
    engine.consumer.schedulePollTask(() -> addRedriven(0, "group"));

    awaitAllDone(RETRY, 1);
    assertThat(handled).containsExactly("orders-0@0#1", "orders-0@0#2");
    assertThat(ignored()).isZero();
    assertThat(engine.outcome("skipped")).isZero();
    assertThat(deadLetters).hasSize(1);
    Headers headers = deadLetters.element().headers();
    assertThat(RedriveMark.redrives(headers)).as("how often it has come back").isEqualTo(3);
    assertThat(headers.lastHeader(DeadLetterHeaders.REDRIVE_GROUP)).isNull();
  }

  /** Whoever has put it there: it had come back for others, who have had it again. */
  @Test
  void oneThatAnotherGroupHasHadRedrivenIsPassedOverInARetryTopicToo() {
    begin((value, context) -> handled.add(context.toString()));
    Headers headers = redriven("another-group");
    headers.add("millrace-retry-origin-topic", P0.topic().getBytes(UTF_8));
    headers.add("millrace-retry-origin-partition", "0".getBytes(UTF_8));
    headers.add("millrace-retry-origin-offset", "0".getBytes(UTF_8));
    headers.add("millrace-retry-origin-timestamp", "0".getBytes(UTF_8));
    headers.add("millrace-retry-first-failure", "0".getBytes(UTF_8));
    headers.add("millrace-retry-attempts", "1".getBytes(UTF_8));
    engine.consumer.schedulePollTask(() -> addNow(RETRY, 0, "key", "value", headers));

    awaitAllDone(RETRY, 1);
    assertThat(handled).isEmpty();
    assertThat(engine.outcome("skipped")).isEqualTo(1);
    assertThat(ignored()).isZero();
  }

  // ---- messages

  @Test
  void aMessageIsLetGoBeforeItsRecordGoesToTheRetryTopicAndIsTheSameThere() {
    idempotentByKey();
    Queue<Begun> asked = new ConcurrentLinkedQueue<>();
    engine.deadLetterSender =
        failed -> {
          Claim another =
              new Claim("group", "orders/key-0", "another", FOR_EVER, Duration.ofHours(1));
          asked.add(store.store.begin(another));
          store.store.release(another);
          return comesBack(failed);
        };
    begin(failsOnce());
    engine.add(P0, 0, 1);

    awaitAllDone(RETRY, 1);
    assertThat(asked).singleElement().isInstanceOf(Begun.Granted.class);
    assertThat(handled).containsExactly("orders-0@0#2");
    assertThat(engine.outcome("handled")).isEqualTo(1);
    assertThat(
            store.store.begin(
                new Claim("group", "orders/key-0", "another", FOR_EVER, Duration.ofHours(1))))
        .as("known by its key within its own topic")
        .isInstanceOf(Begun.Done.class);
  }

  @Test
  void aMessageThatIsHandledWhileItWaitsInARetryTopicIsNotHandledThere() {
    engine.keys = offset -> "twin";
    idempotentByKey();
    Queue<ProducerRecord<byte[], byte[]>> sent = new ConcurrentLinkedQueue<>();
    engine.deadLetterSender =
        failed -> {
          sent.add(failed);
          return acknowledged(failed);
        };
    begin(failsOnce());
    engine.add(P0, 0, 2);
    awaitAllDone(P0, 2);

    assertThat(comesBack(sent.remove())).isCompleted();

    awaitAllDone(RETRY, 1);
    assertThat(handled).containsExactly("orders-0@1#1");
    assertThat(engine.outcome("duplicate")).isEqualTo(1);
  }

  /** A service's hook is no handler, but when it fails the record waits as if it were. */
  @Test
  void anIdThatCannotBeFoundOutIsAskedForAgainInTheRetryTopic() {
    AtomicInteger calls = new AtomicInteger();
    engine.attempts = 2;
    engine.maxDuration = FOR_EVER;
    engine.backoff = Duration.ofMillis(1);
    engine.idempotency =
        new Idempotency(
            store,
            definition(),
            "group",
            record -> {
              calls.incrementAndGet();
              throw new IllegalStateException("no such schema");
            });
    begin((value, context) -> handled.add(context.toString()));
    engine.add(P0, 0, 1);

    awaitAllDone(RETRY, 1);
    assertThat(calls).hasValue(4);
    assertThat(handled).isEmpty();
    assertThat(engine.outcome("retry-topic")).isEqualTo(1);
    assertThat(deadLetters).hasSize(1);
  }

  private void idempotentByKey() {
    engine.idempotency = new Idempotency(store, definition(), "group", null);
  }

  private static IdempotencyDefinition definition() {
    return new IdempotencyDefinition(
        MessageIdKey.RECORD_KEY, "message-id", MissingId.FAIL, FOR_EVER, Duration.ofHours(1));
  }

  private void begin(RecordHandler<String> handler) {
    engine.start(handler);
    engine.assign(P0, RETRY);
  }

  private RecordHandler<String> failsAt(long offset) {
    return (value, context) -> {
      if (context.offset() == offset) {
        throw new IllegalStateException("out of stock");
      }
      handled.add(context.toString());
    };
  }

  private RecordHandler<String> failsOnce() {
    AtomicInteger calls = new AtomicInteger();
    return (value, context) -> {
      if (calls.incrementAndGet() == 1) {
        throw new IllegalStateException("out of stock");
      }
      handled.add(context.toString());
    };
  }

  /** In the order of their offsets. */
  private synchronized CompletableFuture<RecordMetadata> comesBack(
      ProducerRecord<byte[], byte[]> sent) {
    if (sent.topic().equals(RETRY.topic())) {
      long offset = inRetryTopic.getAndIncrement();
      engine.consumer.schedulePollTask(
          () ->
              addNow(
                  RETRY,
                  offset,
                  new String(sent.key(), UTF_8),
                  new String(sent.value(), UTF_8),
                  sent.headers()));
    } else {
      deadLetters.add(sent);
    }
    return acknowledged(sent);
  }

  private static CompletableFuture<RecordMetadata> acknowledged(
      ProducerRecord<byte[], byte[]> sent) {
    return CompletableFuture.completedFuture(
        new RecordMetadata(new TopicPartition(sent.topic(), 0), 0, 0, 0, 0, 0));
  }

  /** Poll thread. */
  private void addRedriven(long offset, String group) {
    addNow(P0, offset, "key", "value", redriven(group));
  }

  private static Headers redriven(String group) {
    Headers headers = new RecordHeaders();
    new RedriveMark(group, 3)
        .stamp(P0.topic(), "key".getBytes(UTF_8), "value".getBytes(UTF_8), headers);
    return headers;
  }

  /** Poll thread. */
  private void addNow(
      TopicPartition partition, long offset, String key, String value, Headers headers) {
    engine.consumer.updateEndOffsets(Map.of(partition, offset + 1));
    engine.consumer.addRecord(
        new ConsumerRecord<>(
            partition.topic(),
            partition.partition(),
            offset,
            System.currentTimeMillis(),
            TimestampType.CREATE_TIME,
            key.length(),
            value.length(),
            key.getBytes(UTF_8),
            value.getBytes(UTF_8),
            headers,
            Optional.empty()));
  }

  private SkipResult skip(TopicPartition partition, long offset) {
    return engine.handle().skip(partition, offset).join();
  }

  private double ignored() {
    return engine.registry.get("millrace.consumer.headers.ignored").counter().count();
  }

  private void awaitNotDue() {
    await()
        .atMost(SOON)
        .until(
            () ->
                engine.explained().partitions().stream()
                    .anyMatch(
                        partition ->
                            partition.partition().equals(RETRY)
                                && partition.pauses().containsKey(PauseCause.NOT_DUE)));
  }

  private void awaitAllDone(TopicPartition partition, long offset) {
    await()
        .atMost(SOON)
        .untilAsserted(
            () ->
                assertThat(engine.consumer.commits)
                    .anySatisfy(
                        commit ->
                            assertThat(commit.get(partition))
                                .isEqualTo(new OffsetAndMetadata(offset))));
  }
}
