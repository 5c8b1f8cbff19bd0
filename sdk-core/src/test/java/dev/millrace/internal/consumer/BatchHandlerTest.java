package dev.millrace.internal.consumer;

import static dev.millrace.internal.consumer.EngineFixture.P0;
import static dev.millrace.internal.consumer.EngineFixture.P1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millrace.config.Ordering;
import dev.millrace.consumer.BatchRecord;
import dev.millrace.consumer.ConsumerExplanation;
import dev.millrace.consumer.ConsumerExplanation.Partition;
import dev.millrace.consumer.ConsumerExplanation.Queued;
import dev.millrace.consumer.ConsumerExplanation.Running;
import dev.millrace.errors.ConsumerFailedException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Handlers of batches, in a whole engine. */
class BatchHandlerTest {
  private static final Duration NEVER_IN_A_TEST = Duration.ofHours(1);
  private static final RecordMetadata ACKNOWLEDGED =
      new RecordMetadata(new TopicPartition("dlq", 0), 0, 0, 0, 0, 0);

  private final EngineFixture engine = new EngineFixture();

  /** What each call was given, as {@code offset#attempt}. */
  private final Queue<List<String>> batches = new ConcurrentLinkedQueue<>();

  private final Queue<String> deadLetters = new ConcurrentLinkedQueue<>();

  @AfterEach
  void close() {
    engine.close();
  }

  @Test
  void aFullBatchIsHandedOverAndTheRestWaitsForMore() {
    engine.ordering = Ordering.PARTITION;
    engine.batchWait = NEVER_IN_A_TEST;
    engine.startBatch(this::note);
    engine.assign(P0);
    engine.add(P0, 0, 15);

    awaitCommit(10);
    engine.letTurnsPass();
    assertThat(batches).containsExactly(batch(1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
    Partition partition = engine.handle().explain().partitions().get(0);
    assertThat(partition.counts().queued()).isEqualTo(5);
    assertThat(partition.oldest().orElseThrow().activity()).isInstanceOf(Queued.class);

    engine.add(P0, 15, 5);
    awaitCommit(20);
    assertThat(batches)
        .hasSize(2)
        .last()
        .isEqualTo(batch(1, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19));
  }

  @Test
  void aBatchThatDoesNotFillUpIsHandedOverAfterItsWaitAndNotBefore() {
    engine.ordering = Ordering.PARTITION;
    engine.batchWait = Duration.ofMillis(300);
    AtomicReference<Long> handled = new AtomicReference<>();
    engine.startBatch(records -> handled.compareAndSet(null, System.nanoTime()));
    engine.assign(P0);
    long added = System.nanoTime();
    engine.add(P0, 0, 3);

    awaitCommit(3);
    assertThat(handled.get() - added).isGreaterThanOrEqualTo(engine.batchWait.toNanos());
  }

  @Test
  void withoutAWaitWhatIsThereIsHandledAtOnce() {
    engine.batchWait = Duration.ZERO;
    engine.startBatch(this::note);
    engine.assign(P0);
    engine.add(P0, 0, 15);

    awaitCommit(15);
    assertThat(batches).allMatch(batch -> batch.size() == 1).hasSize(15);
  }

  @Test
  void aFullChannelEndsTheWait() {
    engine.batchWait = NEVER_IN_A_TEST;
    engine.startBatch(this::note);
    engine.assign(P0);
    engine.add(P0, 0, 100);

    // Each key has a lane; the last ones leave room for a poll that could bring more of them.
    await().until(() -> batches.size() >= 100 - EngineFixture.CAPACITY);
    engine.letTurnsPass();
    assertThat(batches).doesNotHaveDuplicates().allMatch(batch -> batch.size() == 1);
  }

  @Test
  void withoutAnOrderRecordsFillBatchesInTheOrderOfThePoll() {
    engine.ordering = Ordering.UNORDERED;
    engine.batchWait = NEVER_IN_A_TEST;
    engine.startBatch(
        records -> {
          note(records);
          EngineFixture.hold(engine.release);
        });
    engine.assign(P0);
    engine.add(P0, 0, 30);

    await().until(() -> batches.size() == 3);
    assertThat(batches)
        .containsExactlyInAnyOrder(
            batch(1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
            batch(1, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19),
            batch(1, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29));
  }

  @Test
  void eachRecordHasItsOwnOutcomeAndTheGoodOnesAreNotRedone() {
    withDeadLetters();
    engine.ordering = Ordering.PARTITION;
    engine.batchWait = NEVER_IN_A_TEST;
    engine.attempts = 3;
    engine.startBatch(
        records -> {
          note(records);
          for (BatchRecord<String> record : records) {
            switch ((int) record.context().offset()) {
              case 2 -> record.retry(new IllegalStateException("never works"));
              case 4 -> record.deadLetter(new IllegalStateException("nobody can"));
              case 6 -> {
                if (record.context().attempt() == 1) {
                  record.retry(new IllegalStateException("works at the second attempt"));
                }
              }
              case 8 -> record.done();
              default -> {
                // Returning says that it is done.
              }
            }
          }
        });
    engine.assign(P0);
    engine.add(P0, 0, 20);

    awaitCommit(20);
    assertThat(batches)
        .containsExactly(
            batch(1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
            batch(2, 2, 6),
            batch(3, 2),
            batch(1, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19));
    assertThat(deadLetters).containsExactly("value-4", "value-2");
    await().until(() -> engine.outcome("handled") == 18);
    assertThat(engine.outcome("retried")).isEqualTo(3);
    assertThat(engine.outcome("dead-lettered")).isEqualTo(2);
    assertThat(
            engine
                .registry
                .get("millrace.consumer.handler")
                .tag("result", "success")
                .timer()
                .count())
        .isEqualTo(4);
    assertThat(engine.registry.get("millrace.consumer.batch.records").summary().totalAmount())
        .isEqualTo(23);
    assertThat(engine.registry.get("millrace.consumer.queue.wait").timer().count()).isEqualTo(20);
  }

  @Test
  void anExceptionIsAFailedAttemptOfEachRecordWithoutAnOutcome() {
    engine.ordering = Ordering.PARTITION;
    engine.batchWait = NEVER_IN_A_TEST;
    engine.startBatch(
        records -> {
          note(records);
          if (records.get(0).context().attempt() == 1) {
            records.subList(0, 7).forEach(BatchRecord::done);
            Thread.currentThread().interrupt();
            throw new AssertionError("the eighth fails, what is behind it was not tried");
          }
          assertThat(Thread.currentThread().isInterrupted()).isFalse();
        });
    engine.assign(P0);
    engine.add(P0, 0, 10);

    awaitCommit(10);
    assertThat(batches).containsExactly(batch(1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9), batch(2, 7, 8, 9));
    assertThat(
            engine
                .registry
                .get("millrace.consumer.handler")
                .tag("result", "failure")
                .timer()
                .count())
        .isEqualTo(1);
  }

  @Test
  void anOutcomeIsGivenOnceAndNotAfterTheHandlersEnd() {
    engine.ordering = Ordering.PARTITION;
    AtomicReference<BatchRecord<String>> kept = new AtomicReference<>();
    AtomicReference<Throwable> refused = new AtomicReference<>();
    engine.startBatch(
        records -> {
          BatchRecord<String> record = records.get(0);
          record.done();
          try {
            record.retry(new IllegalStateException("no"));
          } catch (IllegalStateException e) {
            refused.set(e);
          }
          kept.set(records.get(records.size() - 1));
        });
    engine.assign(P0);
    engine.add(P0, 0, 1);
    awaitCommit(1);

    assertThat(refused.get()).hasMessageContaining("orders-0@0#1 has an outcome already");
    assertThatThrownBy(() -> kept.get().deadLetter(new IllegalStateException("late")))
        .isInstanceOf(IllegalStateException.class);
    assertThat(engine.outcome("retried")).isZero();
  }

  @Test
  void whileOneIsNotDoneNothingBehindItsBatchStarts() {
    CompletableFuture<RecordMetadata> acknowledgement = new CompletableFuture<>();
    engine.ordering = Ordering.PARTITION;
    engine.batchWait = NEVER_IN_A_TEST;
    engine.attempts = 1;
    engine.deadLetterSender = message -> acknowledgement;
    engine.startBatch(
        records -> {
          note(records);
          if (batches.size() == 1) {
            records.get(3).retry(new IllegalStateException("its only attempt"));
          }
        });
    engine.assign(P0);
    engine.add(P0, 0, 20);

    await().until(() -> engine.outcome("handled") == 9);
    engine.letTurnsPass();
    assertThat(batches).hasSize(1);
    await().until(() -> engine.gauge("millrace.consumer.in.flight") == 11);

    acknowledgement.complete(ACKNOWLEDGED);
    awaitCommit(20);
    assertThat(batches).hasSize(2);
  }

  @Test
  void aDeadLetterThatIsNotAcknowledgedIsSentAgainWithoutTheHandler() {
    AtomicInteger sends = new AtomicInteger();
    engine.ordering = Ordering.PARTITION;
    engine.deadLetterSender =
        message ->
            sends.incrementAndGet() == 1
                ? CompletableFuture.failedFuture(new TimeoutException("away"))
                : CompletableFuture.completedFuture(ACKNOWLEDGED);
    engine.batchWait = NEVER_IN_A_TEST;
    engine.startBatch(
        records -> {
          note(records);
          if (batches.size() == 1) {
            records.get(0).deadLetter(new IllegalStateException("bad"));
            records.get(1).retry(new IllegalStateException("again"));
          }
        });
    engine.assign(P0);
    engine.add(P0, 0, 10);

    awaitCommit(10);
    assertThat(sends).hasValue(2);
    assertThat(batches).hasSize(2).last().isEqualTo(batch(2, 1));
  }

  @Test
  void anUndecodableRecordNeverReachesTheHandlerAndTheRestGoesOn() {
    withDeadLetters();
    engine.deserializer = new PickyDeserializer("value-3"::equals);
    engine.ordering = Ordering.PARTITION;
    engine.batchWait = NEVER_IN_A_TEST;
    engine.startBatch(this::note);
    engine.assign(P0);
    engine.add(P0, 0, 10);

    awaitCommit(10);
    assertThat(batches).containsExactly(batch(1, 0, 1, 2, 4, 5, 6, 7, 8, 9));
    assertThat(deadLetters).containsExactly("value-3");
  }

  @Test
  void aBatchOfUndecodableRecordsDoesNotReachTheHandler() {
    withDeadLetters();
    engine.deserializer = new PickyDeserializer(value -> true);
    engine.ordering = Ordering.PARTITION;
    engine.startBatch(this::note);
    engine.assign(P0);
    engine.add(P0, 0, 10);

    awaitCommit(10);
    assertThat(batches).isEmpty();
    assertThat(deadLetters).hasSize(10);
  }

  @Test
  void withoutDeadLettersAnUndecodableRecordStopsTheConsumerAndTheRestIsHandled() {
    engine.deserializer = new PickyDeserializer("value-3"::equals);
    engine.ordering = Ordering.PARTITION;
    engine.batchWait = NEVER_IN_A_TEST;
    engine.startBatch(this::note);
    engine.assign(P0);
    engine.add(P0, 0, 20);

    assertThatThrownBy(() -> engine.handle().awaitClosed(Duration.ofSeconds(20)))
        .isInstanceOf(ConsumerFailedException.class)
        .hasMessageContaining("orders-0@3");
    assertThat(batches).containsExactly(batch(1, 0, 1, 2, 4, 5, 6, 7, 8, 9));
    assertThat(engine.consumer.lastCommit(P0)).isEqualTo(3);
  }

  @Test
  void aRecordThatWasTakenBackInABatchIsNotCompleted() {
    engine.ordering = Ordering.PARTITION;
    engine.batchWait = NEVER_IN_A_TEST;
    engine.drain = Duration.ofMillis(1);
    CountDownLatch running = new CountDownLatch(1);
    engine.startBatch(
        records -> {
          note(records);
          records.get(0).retry(new IllegalStateException("too late to be tried again"));
          running.countDown();
          EngineFixture.hold(engine.release);
        });
    engine.assign(P0);
    engine.add(P0, 0, 15);
    EngineFixture.hold(running);
    engine.leave(P0);
    // What had not started has left; the batch has not, while its handler runs.
    assertThat(engine.gauge("millrace.consumer.in.flight")).isEqualTo(10);

    engine.release.countDown();
    await().until(() -> engine.gauge("millrace.consumer.in.flight") == 0);
    assertThat(engine.gauge("millrace.consumer.in.flight.bytes")).isZero();
    await().until(() -> engine.handle().explain().permits().used() == 0);
    assertThat(engine.outcome("handled")).isZero();
    assertThat(engine.outcome("retried")).isZero();
    assertThat(engine.consumer.commits).isEmpty();
    assertThat(batches).hasSize(1);
  }

  @Test
  void whatWaitsForARetryLeavesWithItsPartitionAndTheRestIsCommitted() {
    engine.ordering = Ordering.PARTITION;
    engine.batchWait = NEVER_IN_A_TEST;
    engine.backoff = Duration.ofHours(1);
    engine.startBatch(
        records -> {
          note(records);
          records.get(5).retry(new IllegalStateException("waits for an hour"));
        });
    engine.assign(P0);
    engine.add(P0, 0, 10);
    await().until(() -> engine.outcome("retried") == 1);
    engine.leave(P0);

    assertThat(engine.consumer.lastCommit(P0)).isEqualTo(5);
    assertThat(engine.lastMetadata(P0)).isNotEmpty();
    assertThat(engine.gauge("millrace.consumer.in.flight")).isZero();
    assertThat(engine.gauge("millrace.consumer.in.flight.bytes")).isZero();
  }

  @Test
  void aPartitionThatLeavesTakesItsRecordsOutOfAMixedBatch() {
    engine.ordering = Ordering.UNORDERED;
    engine.batchWait = NEVER_IN_A_TEST;
    engine.startBatch(this::note);
    engine.assign(P0, P1);
    engine.add(P0, 100, 4);
    await().until(() -> engine.gauge("millrace.consumer.in.flight") == 4);
    engine.add(P1, 0, 4);
    await().until(() -> engine.gauge("millrace.consumer.in.flight") == 8);
    engine.consumer.schedulePollTask(() -> engine.consumer.rebalance(List.of(P0)));
    await().until(() -> engine.handle().assignment().equals(Set.of(P0)));
    engine.add(P0, 104, 2);

    awaitCommit(106);
    assertThat(batches).containsExactly(batch(1, 100, 101, 102, 103, 104, 105));
    assertThat(engine.consumer.lastCommit(P1)).isEqualTo(-1);
  }

  @Test
  void aBatchHoldsOnePermit() {
    engine.ordering = Ordering.PARTITION;
    engine.batchWait = NEVER_IN_A_TEST;
    engine.permits = 1;
    AtomicInteger atWork = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    engine.startBatch(
        records -> {
          most.accumulateAndGet(atWork.incrementAndGet(), Math::max);
          note(records);
          EngineFixture.hold(engine.release);
          atWork.decrementAndGet();
        });
    engine.assign(P0, P1);
    engine.add(P0, 0, 10);
    engine.add(P1, 0, 10);
    await().until(() -> !batches.isEmpty());
    engine.letTurnsPass();
    assertThat(engine.handle().explain().permits().used()).isEqualTo(1);

    engine.release.countDown();
    awaitCommit(10);
    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P1)).isEqualTo(10));
    assertThat(most).hasValue(1);
  }

  @Test
  void theRecordsOfARunningBatchAreExplained() {
    engine.ordering = Ordering.PARTITION;
    engine.batchWait = NEVER_IN_A_TEST;
    CountDownLatch running = new CountDownLatch(1);
    engine.startBatch(
        records -> {
          records.get(0).done();
          running.countDown();
          EngineFixture.hold(engine.release);
        });
    engine.assign(P0);
    engine.add(P0, 0, 15);
    EngineFixture.hold(running);
    engine.letTurnsPass();

    ConsumerExplanation explanation = engine.handle().explain();
    Partition partition = explanation.partitions().get(0);
    assertThat(partition.counts().running()).isEqualTo(10);
    assertThat(partition.counts().queued()).isEqualTo(5);
    assertThat(partition.oldest().orElseThrow().offset()).isZero();
    assertThat(partition.oldest().orElseThrow().activity()).isInstanceOf(Running.class);
    assertThat(explanation.toString())
        .contains("orders-0: waits for orders-0@0, running for ", "BatchHandlerTest");
  }

  @Test
  void whatGathersDoesNotHoldTheCloseBack() {
    engine.ordering = Ordering.PARTITION;
    engine.batchWait = NEVER_IN_A_TEST;
    engine.startBatch(this::note);
    engine.assign(P0);
    engine.add(P0, 0, 9);
    await().until(() -> engine.gauge("millrace.consumer.in.flight") == 9);

    engine.handle().close(Duration.ofSeconds(20));

    assertThat(engine.handle().state().name()).isEqualTo("CLOSED");
    assertThat(batches).isEmpty();
    assertThat(engine.consumer.commits).isEmpty();
  }

  private void note(List<BatchRecord<String>> records) {
    batches.add(
        records.stream()
            .map(record -> record.context().offset() + "#" + record.context().attempt())
            .toList());
  }

  private static List<String> batch(int attempt, long... offsets) {
    return Arrays.stream(offsets).mapToObj(offset -> offset + "#" + attempt).toList();
  }

  private void awaitCommit(long offset) {
    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(offset));
  }

  private void withDeadLetters() {
    engine.deadLetterSender =
        message -> {
          deadLetters.add(new String(message.value(), UTF_8));
          return CompletableFuture.completedFuture(ACKNOWLEDGED);
        };
  }
}
