package dev.millrace.internal.consumer;

import static dev.millrace.internal.consumer.EngineFixture.P0;
import static dev.millrace.internal.consumer.EngineFixture.P1;
import static dev.millrace.internal.consumer.EngineFixture.hold;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.RecordHandler;
import dev.millrace.consumer.SkipResult;
import dev.millrace.internal.delivery.Handling;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * One record is passed over while the consumer runs: it ends once, and what waits behind goes on.
 */
class SkipTest {
  private static final Duration FOR_EVER = Duration.ofHours(1);

  private final EngineFixture engine = new EngineFixture();
  private final Queue<Long> handled = new ConcurrentLinkedQueue<>();
  private final CountDownLatch running = new CountDownLatch(1);

  SkipTest() {
    engine.keys = offset -> "same";
  }

  @AfterEach
  void close() {
    engine.close();
  }

  @Test
  void oneThatWaitsForARetryEndsAtOnceAndItsKeyGoesOn() {
    engine.backoff = FOR_EVER;
    begin(failsAt(0), 3);
    awaitParked();

    assertThat(skip(0)).isEqualTo(SkipResult.SKIPPED);

    awaitAllDone(3);
    assertThat(handled).containsExactly(1L, 2L);
    assertThat(engine.outcome("skipped")).isEqualTo(1);
    assertThat(engine.outcome("retried")).isEqualTo(1);
  }

  @Test
  void oneThatIsQueuedIsNeverHandled() {
    begin(
        (value, context) -> {
          if (context.offset() == 0) {
            running.countDown();
            hold(engine.release);
          }
          handled.add(context.offset());
        },
        3);
    hold(running);
    engine.awaitInFlight(3);

    assertThat(skip(1)).isEqualTo(SkipResult.SKIPPED);
    engine.awaitInFlight(2);
    assertThat(skip(1)).isEqualTo(SkipResult.ENDED_BEFORE);
    engine.release.countDown();

    awaitAllDone(3);
    assertThat(handled).containsExactly(0L, 2L);
    assertThat(engine.outcome("skipped")).isEqualTo(1);
  }

  /** Without a dead-letter topic its failure would stop the consumer. */
  @Test
  void oneThatRunsEndsAsSkippedWhenItsHandlerFails() {
    engine.attempts = 1;
    begin(runsThenFails(), 2);
    hold(running);

    assertThat(skip(0)).isEqualTo(SkipResult.WHEN_IT_FAILS);
    engine.release.countDown();

    awaitAllDone(2);
    assertThat(handled).containsExactly(1L);
    assertThat(engine.outcome("skipped")).isEqualTo(1);
  }

  @Test
  void oneThatRunsIsNotTriedAgain() {
    engine.backoff = FOR_EVER;
    begin(runsThenFails(), 2);
    hold(running);

    assertThat(skip(0)).isEqualTo(SkipResult.WHEN_IT_FAILS);
    engine.release.countDown();

    awaitAllDone(2);
    assertThat(engine.outcome("retried")).isZero();
    assertThat(engine.outcome("skipped")).isEqualTo(1);
  }

  @Test
  void oneThatIsHandledAfterAllIsHandled() {
    begin(
        (value, context) -> {
          running.countDown();
          hold(engine.release);
          handled.add(context.offset());
        },
        1);
    hold(running);

    assertThat(skip(0)).isEqualTo(SkipResult.WHEN_IT_FAILS);
    engine.release.countDown();

    awaitAllDone(1);
    assertThat(engine.outcome("handled")).isEqualTo(1);
    assertThat(engine.outcome("skipped")).isZero();
  }

  @Test
  void oneWhoseDeadLetterCannotBeWrittenEnds() {
    engine.attempts = 1;
    engine.deadLetterSender =
        letter -> CompletableFuture.failedFuture(new TimeoutException("no such topic"));
    begin(failsAt(0), 2);
    await().until(() -> engine.explained().deadLetterOutage().isPresent());

    await().until(() -> skip(0) == SkipResult.SKIPPED);

    awaitAllDone(2);
    assertThat(handled).containsExactly(1L);
    assertThat(engine.outcome("dead-lettered")).isZero();
    assertThat(engine.outcome("skipped")).isEqualTo(1);
  }

  @Test
  void oneWhoseDeadLetterIsOnItsWayEndsWhenThatFails() {
    engine.attempts = 1;
    Queue<CompletableFuture<RecordMetadata>> sent = new ConcurrentLinkedQueue<>();
    engine.deadLetterSender =
        letter -> {
          CompletableFuture<RecordMetadata> answer = new CompletableFuture<>();
          sent.add(answer);
          return answer;
        };
    begin(failsAt(0), 2);
    await().until(() -> !sent.isEmpty());

    assertThat(skip(0)).isEqualTo(SkipResult.WHEN_IT_FAILS);
    sent.remove().completeExceptionally(new TimeoutException("no such topic"));

    awaitAllDone(2);
    assertThat(sent).isEmpty();
    assertThat(engine.outcome("skipped")).isEqualTo(1);
  }

  @Test
  void oneOfABatchThatWaitsForARetryEndsAndTheBatchGoesOn() {
    engine.backoff = FOR_EVER;
    engine.startBatch(
        records ->
            records.forEach(
                record -> {
                  if (record.context().offset() == 1) {
                    record.retry(new IllegalStateException("out of stock"));
                  } else {
                    handled.add(record.context().offset());
                  }
                }));
    engine.assign(P0);
    engine.add(P0, 0, 3);
    awaitParked();
    engine.add(P0, 3, 2);
    engine.awaitInFlight(3);

    assertThat(skip(1)).isEqualTo(SkipResult.SKIPPED);

    awaitAllDone(5);
    assertThat(handled).containsExactly(0L, 2L, 3L, 4L);
    assertThat(engine.outcome("skipped")).isEqualTo(1);
  }

  @Test
  void oneThatWaitsInAnExecutorIsNeverHandled() {
    Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    engine.start(
        Handling.onExecutor((value, context) -> handled.add(context.offset()), tasks::add));
    engine.assign(P0);
    engine.add(P0, 0, 2);
    await().until(() -> tasks.size() == 1);

    assertThat(skip(0)).isEqualTo(SkipResult.SKIPPED);
    tasks.remove().run();
    await().until(() -> tasks.size() == 1);
    tasks.remove().run();

    awaitAllDone(2);
    assertThat(handled).containsExactly(1L);
  }

  @Test
  void saysWhatItCannotSkip() {
    begin((value, context) -> handled.add(context.offset()), 2);
    awaitAllDone(2);

    assertThat(skip(0)).isEqualTo(SkipResult.ENDED_BEFORE);
    assertThat(skip(2)).isEqualTo(SkipResult.NOT_TAKEN);
    assertThatThrownBy(() -> engine.handle().skip(P1, 0).join())
        .hasCauseInstanceOf(IllegalStateException.class)
        .hasMessageContaining("does not own");
    assertThat(engine.outcome("skipped")).isZero();
  }

  /** Skips meet records wherever they are: each ends once, as what it is counted. */
  @Test
  void eachEndsOnceWhereverASkipMeetsIt() {
    int records = 400;
    int good = 100;
    engine.keys = offset -> "key-" + offset % 5;
    engine.attempts = 1_000_000;
    engine.backoff = Duration.ofMillis(1);
    Map<Long, Integer> ends = new ConcurrentHashMap<>();
    begin(
        (value, context) -> {
          if (context.offset() % 4 != 0) {
            throw new IllegalStateException("out of stock");
          }
          ends.merge(context.offset(), 1, Integer::sum);
        },
        0);
    for (int from = 0; from < records; from += EngineFixture.MAX_POLL) {
      engine.add(P0, from, EngineFixture.MAX_POLL);
    }
    ArrayDeque<Long> left = new ArrayDeque<>();
    for (long offset = 0; offset < records; offset++) {
      if (offset % 4 != 0) {
        left.add(offset);
      }
    }
    while (!left.isEmpty()) {
      long offset = left.remove();
      SkipResult result = skip(offset);
      if (result == SkipResult.NOT_TAKEN) {
        left.addFirst(offset);
      } else if (ThreadLocalRandom.current().nextBoolean() && result != SkipResult.SKIPPED) {
        left.addLast(offset); // Once more does no harm.
      }
    }

    awaitAllDone(records);
    engine.awaitInFlight(0);
    assertThat(engine.outcome("skipped")).isEqualTo(records - good);
    assertThat(engine.outcome("handled")).isEqualTo(good);
    assertThat(ends.values()).hasSize(good).containsOnly(1);
  }

  private void begin(RecordHandler<String> handler, int records) {
    engine.start(handler);
    engine.assign(P0);
    engine.add(P0, 0, records);
  }

  private RecordHandler<String> failsAt(long offset) {
    return (value, context) -> {
      if (context.offset() == offset) {
        throw new IllegalStateException("out of stock");
      }
      handled.add(context.offset());
    };
  }

  private RecordHandler<String> runsThenFails() {
    return (value, context) -> {
      if (context.offset() == 0) {
        running.countDown();
        hold(engine.release);
        throw new IllegalStateException("out of stock");
      }
      handled.add(context.offset());
    };
  }

  private void awaitParked() {
    await()
        .until(
            () ->
                engine.explained().partitions().stream()
                    .anyMatch(partition -> partition.counts().parked() == 1));
  }

  private SkipResult skip(long offset) {
    return engine.handle().skip(P0, offset).join();
  }

  private void awaitAllDone(long offset) {
    await()
        .atMost(EngineFixture.SOON)
        .untilAsserted(
            () ->
                assertThat(engine.consumer.commits)
                    .anySatisfy(
                        commit ->
                            assertThat(commit.get(P0)).isEqualTo(new OffsetAndMetadata(offset))));
  }
}
