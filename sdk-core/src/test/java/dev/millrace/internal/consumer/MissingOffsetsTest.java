package dev.millrace.internal.consumer;

import static dev.millrace.internal.consumer.EngineFixture.P0;
import static dev.millrace.internal.consumer.EngineFixture.P1;
import static dev.millrace.internal.consumer.EngineFixture.RETRY;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millrace.config.MissingOffset;
import dev.millrace.config.MissingOffset.Start;
import dev.millrace.config.Ordering;
import dev.millrace.errors.ConsumerFailedException;
import dev.millrace.internal.offset.CompletedAhead;
import dev.millrace.internal.offset.OffsetTicket;
import dev.millrace.internal.offset.OffsetTracker;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.consumer.LogTruncationException;
import org.apache.kafka.clients.consumer.NoOffsetForPartitionException;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.errors.TimeoutException;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Offsets that nobody has committed, or that the log does not have (any more). */
class MissingOffsetsTest {
  private final EngineFixture engine = new EngineFixture("none");
  private final Queue<Long> handled = new ConcurrentLinkedQueue<>();
  private final CountDownLatch running = new CountDownLatch(1);

  @AfterEach
  void leavesNothing() {
    engine.close();
  }

  @Test
  void withoutACommitTheLogIsReadFromItsBeginning() {
    engine.consumer.updateBeginningOffsets(Map.of(P0, 5L));
    start();
    engine.assign(P0);

    soon().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(5));
    engine.add(P0, 5, 3);

    soon().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(8));
    assertThat(resets()).as("nothing was there to be lost").isZero();
  }

  /** Committed at once: else what comes while the service is down would be passed over. */
  @Test
  void latestBeginsAtTheEndAndCommitsIt() {
    engine.onMissingOffset = new MissingOffset(Start.LATEST);
    engine.consumer.updateEndOffsets(Map.of(P0, 40L));
    start();
    engine.assign(P0);

    soon().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(40));
    assertThat(resets()).isZero();
  }

  @Test
  void failStopsTheConsumerAndSaysWhatToDo() {
    engine.onMissingOffset = new MissingOffset(Start.FAIL);
    start();
    engine.consumer.schedulePollTask(() -> engine.consumer.rebalance(List.of(P0)));

    assertThatThrownBy(() -> engine.handle().awaitClosed(Duration.ofSeconds(20)))
        .isInstanceOf(ConsumerFailedException.class)
        .hasMessage(
            "Consumer 'engine-test' has no committed offset for [orders-0], and on-missing-offset"
                + " is fail; move the group's offset, or choose earliest, latest or by-duration.")
        .hasCauseInstanceOf(NoOffsetForPartitionException.class);
    assertThat(engine.consumer.commits).isEmpty();
  }

  /** Else an admin who adds a partition would end all replicas, for ever. */
  @Test
  void failReadsAnAddedPartitionFromItsStart() {
    engine.onMissingOffset = new MissingOffset(Start.FAIL);
    engine.consumer.updatePartitions(
        "orders",
        List.of(
            new PartitionInfo("orders", 0, null, null, null),
            new PartitionInfo("orders", 1, null, null, null)));
    start();
    commitBefore(new OffsetAndMetadata(0));
    engine.assign(P0, P1);
    engine.add(P1, 0, 3);

    soon().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P1)).isEqualTo(3));
    assertThat(handled).hasSize(3);
    assertThat(resets()).isZero();
  }

  /** What is there is yet to be handled; and one that is new has no offset yet. */
  @Test
  void failReadsARetryTopicFromItsBeginning() {
    engine.onMissingOffset = new MissingOffset(Start.FAIL);
    engine.retryDelays = List.of(Duration.ofMillis(1));
    engine.deadLetterSender =
        failed -> {
          throw new AssertionError("None fails.");
        };
    engine.consumer.updateBeginningOffsets(Map.of(RETRY, 3L));
    start();
    commitBefore(new OffsetAndMetadata(0));
    engine.assign(P0, RETRY);
    engine.add(RETRY, 3, 2);

    soon().untilAsserted(() -> assertThat(engine.consumer.lastCommit(RETRY)).isEqualTo(5));
    assertThat(handled).hasSize(2);
    assertThat(resets()).isZero();
  }

  @Test
  void failStopsTheConsumerBeforeAGapToo() {
    engine.onMissingOffset = new MissingOffset(Start.FAIL);
    engine.consumer.updateBeginningOffsets(Map.of(P0, 50L));
    engine.consumer.updateEndOffsets(Map.of(P0, 60L));
    start();
    commitBefore(new OffsetAndMetadata(10));
    assignAndAdd(50, 10);

    assertThatThrownBy(() -> engine.handle().awaitClosed(Duration.ofSeconds(20)))
        .isInstanceOf(ConsumerFailedException.class)
        .hasMessageStartingWith(
            "Consumer 'engine-test' can't go on at offset 10 of orders-0: its log begins at 50 and"
                + " ends at 60, and on-missing-offset is fail; move");
    assertThat(handled).isEmpty();
    assertThat(engine.consumer.commits).isEmpty();
  }

  @Test
  void whatRetentionHasDeletedIsCountedAndTheLogReadOn() {
    engine.consumer.updateBeginningOffsets(Map.of(P0, 50L));
    start();
    commitBefore(new OffsetAndMetadata(10));
    assignAndAdd(50, 10);

    soon().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(60));
    assertThat(handled).hasSize(10);
    assertThat(resets()).isEqualTo(1);
  }

  @Test
  void whatWasDoneBeyondALostOffsetIsNotBelieved() {
    OffsetAndMetadata saved = savedWithDone(10, 55);
    engine.consumer.updateBeginningOffsets(Map.of(P0, 50L));
    start();
    commitBefore(saved);
    assignAndAdd(50, 10);

    soon().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(60));
    assertThat(handled).contains(55L);
  }

  /** What runs and waits is still in memory; the offset moves on when it has ended. */
  @Test
  void whatIsInFlightWhenRetentionOvertakesItIsStillHandled() {
    engine.ordering = Ordering.PARTITION;
    startHangingAt(0);
    engine.assign(P0);
    engine.add(P0, 0, 5);
    EngineFixture.hold(running);
    soon().until(() -> engine.gauge("millrace.consumer.in.flight") == 5);

    engine.consumer.schedulePollTask(
        () -> {
          engine.consumer.updateBeginningOffsets(Map.of(P0, 50L));
          engine.addNow(P0, 50, 3);
        });
    soon().until(() -> engine.gauge("millrace.consumer.in.flight") == 8);
    assertThat(engine.consumer.lastCommit(P0)).isLessThanOrEqualTo(0);
    engine.release.countDown();

    soon().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(53));
    assertThat(handled).containsExactly(0L, 1L, 2L, 3L, 4L, 50L, 51L, 52L);
    assertThat(resets()).isEqualTo(1);
  }

  @Test
  void aTopicThatWasMadeAnewIsReadFromItsBeginning() {
    start();
    assignAndAdd(0, 10);
    soon().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(10));

    engine.consumer.updateEndOffsets(Map.of(P0, 4L));
    raise(new OffsetOutOfRangeException(Map.of(P0, 10L)));
    soon().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(0));
    engine.add(P0, 0, 4);

    soon().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(4));
    assertThat(handled).hasSize(14);
    assertThat(resets()).isEqualTo(1);
  }

  /** Whatever the policy: only what lies below the cut is known to be the log that was read. */
  @Test
  void afterAnUncleanElectionTheLogIsReadOnAtTheCut() {
    engine.onMissingOffset = new MissingOffset(Start.LATEST);
    start();
    commitBefore(new OffsetAndMetadata(0));
    assignAndAdd(0, 10);
    soon().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(10));

    raise(cut(10, 7));
    soon().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(7));
    engine.add(P0, 7, 5);

    soon().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(12));
    assertThat(resets()).isEqualTo(1);
  }

  @Test
  void whatIsUnfinishedBelowTheCutIsReadAgain() {
    engine.ordering = Ordering.PARTITION;
    startHangingAt(3);
    assignAndAdd(0, 10);
    EngineFixture.hold(running);
    soon().until(() -> engine.gauge("millrace.consumer.in.flight") == 7);

    raise(cut(10, 7));
    soon().until(() -> engine.consumer.position(P0) == 3);
    engine.release.countDown();
    engine.add(P0, 3, 4);

    soon().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(7));
    assertThat(handled).containsExactly(0L, 1L, 2L, 3L, 3L, 4L, 5L, 6L);
  }

  /** The oldest of them is gone; what the log still has of them is not. */
  @Test
  void whatIsUnfinishedBelowTheCutIsReadAgainAlsoWhenRetentionHasOvertakenTheOldest() {
    engine.ordering = Ordering.PARTITION;
    startHangingAt(3);
    assignAndAdd(0, 10);
    EngineFixture.hold(running);
    soon().until(() -> engine.gauge("millrace.consumer.in.flight") == 7);

    engine.consumer.updateBeginningOffsets(Map.of(P0, 5L));
    raise(cut(10, 7));
    soon().until(() -> engine.consumer.position(P0) == 5);
    engine.release.countDown();
    engine.add(P0, 5, 2);

    soon().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(7));
    assertThat(handled).containsExactly(0L, 1L, 2L, 3L, 5L, 6L);
  }

  @Test
  void whenTheBrokersDoNotAnswerTheyAreAskedAgain() {
    engine.consumer.updateEndOffsets(Map.of(P0, 40L));
    engine.onMissingOffset = new MissingOffset(Start.LATEST);
    AtomicBoolean asked = new AtomicBoolean();
    engine.consumer.onOffsetsAsked =
        () -> {
          if (asked.compareAndSet(false, true)) {
            throw new TimeoutException("no leader");
          }
        };
    start();
    engine.assign(P0);

    soon().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(40));
    assertThat(asked).isTrue();
  }

  /** The new protocol's client finds out on another thread, and may raise it once too often. */
  @Test
  void newsThatAreOldMoveNothing() {
    engine.onMissingOffset = new MissingOffset(Start.LATEST);
    start();
    commitBefore(new OffsetAndMetadata(0));
    assignAndAdd(0, 3);
    soon().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(3));
    engine.consumer.updateEndOffsets(Map.of(P0, 20L));

    raise(new NoOffsetForPartitionException(P0));
    raise(new OffsetOutOfRangeException(Map.of(P0, 1L)));
    raise(new OffsetOutOfRangeException(Map.of(P1, 1L)));
    engine.letTurnsPass();

    assertThat(engine.consumer.position(P0)).isEqualTo(3);
    assertThat(resets()).isZero();
  }

  private void start() {
    engine.start((value, context) -> handled.add(context.offset()));
  }

  private void startHangingAt(long offset) {
    engine.start(
        (value, context) -> {
          if (context.offset() == offset && running.getCount() > 0) {
            running.countDown();
            engine.release.await();
          }
          handled.add(context.offset());
        });
  }

  /** In one poll, so that the client knows the records when it first looks for its offset. */
  private void assignAndAdd(long from, int count) {
    engine.consumer.schedulePollTask(
        () -> {
          engine.consumer.rebalance(List.of(P0));
          engine.addNow(P0, from, count);
        });
  }

  private void commitBefore(OffsetAndMetadata offset) {
    engine.consumer.commitAsync(Map.of(P0, offset), (offsets, failure) -> {});
    engine.consumer.commits.clear();
  }

  private static OffsetAndMetadata savedWithDone(long committed, long done) {
    OffsetTracker tracker = new OffsetTracker(P0, CompletedAhead.NONE);
    assertThat(tracker.issue(committed, -1)).isNotNull();
    OffsetTicket ended = requireNonNull(tracker.issue(done, -1));
    ended.start();
    ended.complete();
    return requireNonNull(tracker.committable(CompletedAhead.MAX_CHARS));
  }

  private void raise(KafkaException exception) {
    engine.consumer.schedulePollTask(() -> engine.consumer.setPollException(exception));
    engine.letTurnsPass();
  }

  private static LogTruncationException cut(long position, long at) {
    return new LogTruncationException(
        Map.of(P0, position), Map.of(P0, new OffsetAndMetadata(at, Optional.of(1), "")));
  }

  private double resets() {
    return engine.registry.get("millrace.consumer.offset.resets").counter().count();
  }

  private static ConditionFactory soon() {
    return await().atMost(Duration.ofSeconds(60));
  }
}
