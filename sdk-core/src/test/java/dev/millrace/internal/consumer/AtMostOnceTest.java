package dev.millrace.internal.consumer;

import static dev.millrace.internal.consumer.EngineFixture.P0;
import static dev.millrace.internal.consumer.EngineFixture.P1;
import static dev.millrace.internal.consumer.EngineFixture.hold;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millrace.config.DeliverySemantics;
import dev.millrace.config.Ordering;
import dev.millrace.consumer.RecordContext;
import dev.millrace.errors.ConsumerFailedException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** No record starts before a commit beyond it is acknowledged, and none starts twice. */
class AtMostOnceTest {
  private final EngineFixture engine = new EngineFixture();
  private final Queue<Long> started = new ConcurrentLinkedQueue<>();
  private final Queue<String> early = new ConcurrentLinkedQueue<>();

  @BeforeEach
  void promise() {
    engine.semantics = DeliverySemantics.AT_MOST_ONCE;
    engine.attempts = 1;
    engine.drain = Duration.ofMillis(500);
  }

  @AfterEach
  void leavesNothing() {
    engine.close();
    assertThat(early).isEmpty();
    assertThat(started).doesNotHaveDuplicates();
  }

  @Test
  void theCommitOfAPollIsAcknowledgedBeforeAnyOfItStarts() {
    engine.start((value, context) -> start(context));
    engine.assign(P0, P1);
    engine.consumer.schedulePollTask(
        () -> {
          engine.addNow(P0, 0, 25);
          engine.addNow(P1, 100, 3);
        });

    await().until(() -> started.size() == 28);
    assertThat(engine.consumer.lastCommit(P0)).isEqualTo(25);
    assertThat(engine.consumer.lastCommit(P1)).isEqualTo(103);
    // Ten records a poll, and one commit each, whatever its partitions; the fake tells each twice.
    assertThat(Set.copyOf(engine.consumer.commits)).hasSize(3);
  }

  @Test
  void theNextPollIsCommittedWhileTheWorkersAreAtTheOneBefore() {
    engine.start(
        (value, context) -> {
          start(context);
          engine.release.await();
        });
    engine.assign(P0);
    engine.add(P0, 0, 20);

    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(20));
    assertThat(started).hasSizeLessThan(20);
    engine.release.countDown();
    await().until(() -> started.size() == 20);
  }

  /** The group moves: what was polled belongs to whoever has the partition then. */
  @Test
  void whatWasRefusedIsPolledAgain() {
    engine.consumer.refusals.addAll(
        List.of(new RebalanceInProgressException(), new CommitFailedException()));
    engine.start((value, context) -> start(context));
    engine.assign(P0);
    // The fake forgets what it has handed out, as the real client would fetch it again.
    engine.consumer.onRefusal = () -> engine.addNow(P0, 0, 5);
    engine.add(P0, 0, 5);

    await().until(() -> started.size() == 5);
    assertThat(engine.outcome("not-started")).isZero();
    assertThat(engine.consumer.lastCommit(P0)).isEqualTo(5);
  }

  @Test
  void aCommitThatIsRepeatedUntilItIsAcknowledgedLetsItsRecordsStart() {
    engine.consumer.refusals.addAll(
        List.of(new TimeoutException("1"), new TimeoutException("2"), new TimeoutException("3")));
    engine.start((value, context) -> start(context));
    engine.assign(P0);
    engine.add(P0, 0, 5);

    await().until(() -> started.size() == 5);
    assertThat(engine.outcome("not-started")).isZero();
  }

  @Test
  void whatMayBeCommittedIsNotStartedButCountedAndNothingMoreIsPolledMeanwhile() {
    CountDownLatch healed = new CountDownLatch(1);
    engine.consumer.refusals.add(new TimeoutException("no answer"));
    engine.consumer.commitFailure = new TimeoutException("no answer");
    engine.consumer.onRefusal =
        () -> {
          if (healed.getCount() > 0) {
            engine.consumer.refusals.add(new TimeoutException("no answer"));
          }
        };
    engine.start((value, context) -> start(context));
    engine.assign(P0);
    engine.add(P0, 0, 15);

    await().until(() -> engine.outcome("not-started") == 10);
    engine.letTurnsPass();
    assertThat(started).isEmpty();
    assertThat(engine.outcome("not-started")).as("one poll an outage").isEqualTo(10);
    assertThat(engine.consumer.position(P0)).isEqualTo(10);

    engine.consumer.commitFailure = null;
    healed.countDown();
    await().until(() -> started.size() == 5);
    assertThat(started).containsExactlyInAnyOrder(10L, 11L, 12L, 13L, 14L);
    assertThat(engine.consumer.lastCommit(P0)).isEqualTo(15);
    assertThat(engine.outcome("not-started")).isEqualTo(10);
  }

  @Test
  void aFencedMemberStartsNothing() {
    engine.consumer.refusals.add(new FencedInstanceIdException("another has this id"));
    engine.start((value, context) -> start(context));
    engine.assign(P0);
    engine.add(P0, 0, 5);

    assertThatThrownBy(() -> engine.handle().awaitClosed(Duration.ofSeconds(20)))
        .isInstanceOf(ConsumerFailedException.class)
        .hasCauseInstanceOf(FencedInstanceIdException.class);
    assertThat(started).isEmpty();
  }

  @Test
  void whatFailsIsPassedOverAndCounted() {
    engine.ordering = Ordering.PARTITION;
    engine.start(
        (value, context) -> {
          start(context);
          if (context.offset() == 1) {
            throw new IllegalStateException("out of stock");
          }
        });
    engine.assign(P0);
    engine.add(P0, 0, 3);

    await().until(() -> engine.outcome("handled") == 2);
    assertThat(engine.outcome("skipped")).isEqualTo(1);
    assertThat(engine.outcome("retried")).isZero();
  }

  @Test
  void whatFailsMayGoToTheDeadLetterTopicWithoutASecondAttempt() {
    engine.deadLetterSender =
        message ->
            CompletableFuture.completedFuture(
                new RecordMetadata(new TopicPartition("dlq", 0), 0, 0, 0, 0, 0));
    engine.start(
        (value, context) -> {
          start(context);
          throw new IllegalStateException("out of stock");
        });
    engine.assign(P0);
    engine.add(P0, 0, 3);

    await().until(() -> engine.outcome("dead-lettered") == 3);
    assertThat(engine.outcome("skipped")).isZero();
  }

  @Test
  void aRecordOfABatchThatIsToBeTriedAgainHasFailed() {
    engine.startBatch(
        batch ->
            batch.forEach(
                record -> {
                  start(record.context());
                  record.retry(new IllegalStateException("later"));
                }));
    engine.assign(P0);
    engine.add(P0, 0, 5);

    await().until(() -> engine.outcome("skipped") == 5);
    assertThat(engine.outcome("retried")).isZero();
  }

  @Test
  void stagesAreStartedOnceToo() {
    engine.startAsync(
        (value, context) -> {
          start(context);
          return context.offset() == 0
              ? CompletableFuture.failedFuture(new IllegalStateException("out of stock"))
              : CompletableFuture.completedFuture(null);
        });
    engine.assign(P0);
    engine.add(P0, 0, 5);

    await().until(() -> engine.outcome("handled") == 4);
    assertThat(engine.outcome("skipped")).isEqualTo(1);
  }

  /** They are committed, so nobody else will handle them. */
  @Test
  void aPartitionThatLeavesHasItsQueuedRecordsHandledFirst() {
    CountDownLatch first = new CountDownLatch(1);
    engine.permits = 1;
    engine.drain = EngineFixture.SOON;
    engine.start(
        (value, context) -> {
          start(context);
          hold(first);
        });
    engine.assign(P0);
    engine.add(P0, 0, 8);
    await().until(() -> started.size() == 1 && engine.gauge("millrace.consumer.in.flight") == 8);

    engine.consumer.schedulePollTask(() -> engine.consumer.rebalance(List.of()));
    await().until(engine::isDraining);
    first.countDown();

    await().until(() -> engine.handle().assignment().isEmpty());
    assertThat(started).hasSize(8);
    assertThat(engine.outcome("dropped")).isZero();
  }

  @Test
  void whatIsLeftWhenTheTimeIsUpIsDroppedAndCountedOnce() {
    engine.permits = 1;
    engine.start(
        (value, context) -> {
          start(context);
          engine.release.await();
        });
    engine.assign(P0);
    engine.add(P0, 0, 8);
    await().until(() -> started.size() == 1 && engine.gauge("millrace.consumer.in.flight") == 8);

    engine.leave(P0);

    assertThat(engine.outcome("dropped")).isEqualTo(8);
    engine.release.countDown();
    engine.letTurnsPass();
    assertThat(started).hasSize(1);
    assertThat(engine.outcome("dropped")).isEqualTo(8);
  }

  @Test
  void whatIsLostIsDroppedAtOnce() {
    engine.permits = 1;
    engine.start(
        (value, context) -> {
          start(context);
          engine.release.await();
        });
    engine.assign(P0);
    engine.add(P0, 0, 8);
    await().until(() -> started.size() == 1 && engine.gauge("millrace.consumer.in.flight") == 8);

    engine.consumer.schedulePollTask(() -> engine.consumer.lose(List.of(P0)));

    await().until(() -> engine.outcome("dropped") == 8);
  }

  @Test
  void aCloseHandlesWhatIsQueued() {
    CountDownLatch first = new CountDownLatch(1);
    engine.permits = 1;
    engine.start(
        (value, context) -> {
          start(context);
          hold(first);
        });
    engine.assign(P0);
    engine.add(P0, 0, 8);
    await().until(() -> started.size() == 1 && engine.gauge("millrace.consumer.in.flight") == 8);

    CompletableFuture<Void> closing =
        CompletableFuture.runAsync(() -> engine.handle().close(EngineFixture.SOON));
    await().until(engine::isDraining);
    first.countDown();
    closing.join();

    assertThat(started).hasSize(8);
  }

  /** An unclean election; at-least-once would read the open ones below the cut again. */
  @Test
  void aLogThatWasCutIsReadOnFromItsCutThoughRecordsBelowHaveNotEnded() {
    engine.ordering = Ordering.PARTITION;
    engine.start(
        (value, context) -> {
          if (value.equals("value-8") || value.equals("value-9")) {
            return; // Of the old log and of the new one.
          }
          start(context);
          engine.release.await();
        });
    engine.assign(P0);
    engine.add(P0, 0, 10);
    await().until(() -> engine.gauge("millrace.consumer.in.flight") == 10);

    engine.consumer.schedulePollTask(
        () -> {
          engine.consumer.seek(P0, 8);
          engine.addNow(P0, 8, 2);
        });

    await().until(() -> engine.outcome("dropped") == 10);
    engine.letTurnsPass();
    assertThat(engine.consumer.position(P0)).isEqualTo(10);
    engine.release.countDown();
  }

  /** Who seeks back wants the records once more. */
  @Test
  void whatAUserSeeksBackToIsHandledAgain() {
    Queue<Long> handled = new ConcurrentLinkedQueue<>();
    engine.start((value, context) -> handled.add(context.offset()));
    engine.assign(P0);
    engine.add(P0, 0, 5);
    await().until(() -> engine.outcome("handled") == 5);

    engine.handle().seek(P0, 3).join();
    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(3));
    engine.add(P0, 3, 2);

    await().until(() -> handled.size() == 7);
    assertThat(handled).containsExactlyInAnyOrder(0L, 1L, 2L, 3L, 4L, 3L, 4L);
    assertThat(engine.consumer.lastCommit(P0)).isEqualTo(5);
  }

  @Test
  void aPositionThatHasPassedMarkersOnlyIsCommittedByTheInterval() {
    engine.start((value, context) -> start(context));
    engine.assign(P0);
    engine.add(P0, 0, 5);
    await().until(() -> started.size() == 5);

    engine.consumer.onlyMarkers = Map.of(P0, new OffsetAndMetadata(7));

    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(7));
  }

  /** Any thread. */
  private void start(RecordContext context) {
    TopicPartition partition = new TopicPartition(context.topic(), context.partition());
    if (engine.consumer.lastCommit(partition) <= context.offset()) {
      early.add(context + " starts while the last commit is " + engine.consumer.commits);
    }
    started.add(context.offset());
  }
}
