package dev.millrace.internal.consumer;

import static dev.millrace.internal.consumer.EngineFixture.P0;
import static dev.millrace.internal.consumer.EngineFixture.P1;
import static dev.millrace.internal.consumer.PauseTest.done;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millrace.config.Ordering;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Seeks while records are queued, running, done beyond the frontier, and while a commit is out. */
class SeekTest {
  private final EngineFixture engine = new EngineFixture();
  private final Queue<Long> handled = new ConcurrentLinkedQueue<>();
  private final CountDownLatch running = new CountDownLatch(1);

  @AfterEach
  void leavesNothing() {
    engine.close();
  }

  @Test
  void aSeekBackIsCommittedBeforeAnythingIsReadAgain() throws Exception {
    startAndHandle(10);
    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(10));

    done(engine.handle().seek(P0, 3));

    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(3));
    engine.add(P0, 3, 7);
    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(10));
    assertThat(handled).hasSize(17);
  }

  @Test
  void queuedRecordsFromBeforeTheSeekNeverStart() throws Exception {
    engine.ordering = Ordering.PARTITION;
    startHangingAt(0);
    engine.add(P0, 0, 10);
    EngineFixture.hold(running);

    done(engine.handle().seek(P0, 5));
    engine.release.countDown();
    engine.add(P0, 5, 3);

    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(8));
    assertThat(handled).containsExactly(0L, 5L, 6L, 7L);
  }

  @Test
  void whatEndsAfterTheSeekJustifiesNoCommit() throws Exception {
    startHangingAt(2);
    engine.add(P0, 0, 10);
    EngineFixture.hold(running);
    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(2));

    done(engine.handle().seek(P0, 1));
    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(1));
    engine.release.countDown();
    await().until(() -> handled.contains(2L));
    engine.letTurnsPass();

    assertThat(engine.consumer.lastCommit(P0)).isEqualTo(1);
  }

  @Test
  void aCommitThatWasOnItsWayDoesNotStandForTheSeek() throws Exception {
    startAndHandle(10);
    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(10));
    engine.consumer.commitsHeld = true;
    engine.add(P0, 10, 10);
    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isGreaterThan(10));

    done(engine.handle().seek(P0, 3));
    engine.consumer.schedulePollTask(engine.consumer::answerCommits);

    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(3));
  }

  @Test
  void whatWasDoneBeyondTheFrontierIsForgotten() throws Exception {
    startHangingAt(0);
    engine.add(P0, 0, 10);
    EngineFixture.hold(running);
    await().untilAsserted(() -> assertThat(engine.lastMetadata(P0)).isNotEmpty());
    await().until(() -> handled.size() == 9);
    handled.clear();

    done(engine.handle().seek(P0, 4));
    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(4));
    assertThat(engine.lastMetadata(P0)).isEmpty();
    // Also for the next time of owning it, which reads what was committed.
    engine.drain = Duration.ZERO;
    engine.assign(P1);
    engine.assign(P0);
    engine.add(P0, 4, 6);

    await().untilAsserted(() -> assertThat(handled).hasSize(6));
    assertThat(handled).containsExactlyInAnyOrder(4L, 5L, 6L, 7L, 8L, 9L);
  }

  @Test
  void aRecordReadAgainWaitsBehindItsOwnOldFlight() throws Exception {
    AtomicInteger inside = new AtomicInteger();
    AtomicInteger overlaps = new AtomicInteger();
    engine.permits = 8;
    engine.start(
        (value, context) -> {
          if (inside.incrementAndGet() != 1) {
            overlaps.incrementAndGet();
          }
          running.countDown();
          engine.release.await();
          handled.add(context.offset());
          inside.decrementAndGet();
        });
    engine.assign(P0);
    engine.add(P0, 0, 1);
    EngineFixture.hold(running);

    done(engine.handle().seekToBeginning(List.of(P0)));
    engine.add(P0, 0, 1);
    await()
        .untilAsserted(() -> assertThat(engine.gauge("millrace.consumer.in.flight")).isEqualTo(2));
    engine.letTurnsPass();
    engine.release.countDown();

    await().untilAsserted(() -> assertThat(handled).containsExactly(0L, 0L));
    assertThat(overlaps).hasValue(0);
  }

  @Test
  void aRecordThatFailsAfterTheSeekIsNotTriedAgain() throws Exception {
    AtomicInteger attempts = new AtomicInteger();
    engine.attempts = 3;
    engine.backoff = Duration.ofMillis(1);
    engine.start(
        (value, context) -> {
          attempts.incrementAndGet();
          running.countDown();
          engine.release.await();
          throw new IllegalArgumentException("no such customer");
        });
    engine.assign(P0);
    engine.add(P0, 0, 1);
    EngineFixture.hold(running);

    done(engine.handle().seekToEnd(List.of(P0)));
    engine.release.countDown();

    await().until(() -> engine.gauge("millrace.consumer.in.flight") == 0);
    engine.letTurnsPass();
    assertThat(attempts).hasValue(1);
    assertThat(engine.handle().failure()).isEmpty();
  }

  @Test
  void aPartitionThatLeavesRightAfterTheSeekIsCommittedThere() throws Exception {
    engine.commitInterval = Duration.ofHours(1);
    startAndHandle(10);

    done(engine.handle().seek(P0, 7));
    engine.assign(P1);

    assertThat(engine.consumer.lastCommit(P0)).isEqualTo(7);
  }

  @Test
  void aPausedPartitionStaysPausedAndItsNewPositionIsCommitted() throws Exception {
    startAndHandle(10);
    done(engine.handle().pause(List.of(P0)));

    done(engine.handle().seek(P0, 3));

    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(3));
    assertThat(engine.consumer.paused()).containsExactly(P0);
  }

  @Test
  void seeksToBeginningEndAndTimestamp() throws Exception {
    engine.start((value, context) -> handled.add(context.offset()));
    engine.consumer.updateBeginningOffsets(Map.of(P0, 5L, P1, 6L));
    engine.consumer.updateEndOffsets(Map.of(P0, 50L, P1, 60L));
    engine.assign(P0, P1);

    done(engine.handle().seekToEnd(List.of(P0, P1)));
    assertCommitted(50, 60);
    done(engine.handle().seekToBeginning(List.of(P0, P1)));
    assertCommitted(5, 6);
    done(engine.handle().seekToTimestamp(List.of(P0, P1), Instant.ofEpochMilli(55)));
    assertCommitted(50, 55);
  }

  /**
   * Each may take seconds when a broker does not answer; all of them must not cost the membership.
   */
  @Test
  void thePollsGoOnBetweenManySeeks() throws Exception {
    startAndHandle(10);
    List<Integer> polls = new CopyOnWriteArrayList<>();
    CountDownLatch asked = new CountDownLatch(1);
    engine.consumer.schedulePollTask(() -> EngineFixture.hold(asked));
    List<CompletableFuture<Void>> seeks = new ArrayList<>();
    engine.consumer.onOffsetsAsked = () -> polls.add(engine.consumer.polls.get());
    for (int i = 0; i < 5; i++) {
      seeks.add(engine.handle().seekToEnd(List.of(P0)));
    }
    asked.countDown();
    for (CompletableFuture<Void> seek : seeks) {
      done(seek);
    }

    // The wake-up may have ended one of the polls at once.
    assertThat(Set.copyOf(polls)).hasSizeGreaterThanOrEqualTo(4);
  }

  @Test
  void whatCannotBeSoughtChangesNothing() throws Exception {
    startAndHandle(10);
    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(10));

    assertThatThrownBy(() -> done(engine.handle().seek(P0, 11)))
        .hasRootCauseInstanceOf(IllegalArgumentException.class)
        .hasRootCauseMessage("orders-0 can't be sought to 11: its log begins at 0 and ends at 10.");
    assertThatThrownBy(() -> done(engine.handle().seekToBeginning(List.of(P0, P1))))
        .hasRootCauseInstanceOf(IllegalStateException.class)
        .hasRootCauseMessage(
            "Consumer 'engine-test' can't seek in orders-1, which it does not own now; it owns"
                + " [orders-0].");
    engine.consumer.setOffsetsException(new TimeoutException("no leader"));
    assertThatThrownBy(() -> done(engine.handle().seekToBeginning(List.of(P0))))
        .hasRootCauseMessage("no leader");
    assertThatThrownBy(() -> engine.handle().seek(new TopicPartition("refunds", 0), 1))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> engine.handle().seekToTimestamp(List.of(P0), Instant.ofEpochMilli(-1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("can't seek to 1969-12-31T23:59:59.999Z");

    engine.add(P0, 10, 2);
    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(12));
  }

  private void assertCommitted(long first, long second) {
    await()
        .untilAsserted(
            () -> {
              assertThat(engine.consumer.lastCommit(P0)).isEqualTo(first);
              assertThat(engine.consumer.lastCommit(P1)).isEqualTo(second);
            });
  }

  private void startAndHandle(int records) {
    engine.start((value, context) -> handled.add(context.offset()));
    engine.assign(P0);
    engine.add(P0, 0, records);
    await().until(() -> handled.size() == records);
  }

  /** Starts a handler that hangs in its first run of this offset. */
  private void startHangingAt(long offset) {
    engine.start(
        (value, context) -> {
          if (context.offset() == offset && running.getCount() > 0) {
            running.countDown();
            engine.release.await();
          }
          handled.add(context.offset());
        });
    engine.assign(P0);
  }
}
