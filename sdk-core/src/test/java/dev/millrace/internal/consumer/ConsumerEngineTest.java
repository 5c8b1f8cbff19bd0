package dev.millrace.internal.consumer;

import static dev.millrace.internal.consumer.EngineFixture.P0;
import static dev.millrace.internal.consumer.EngineFixture.P1;
import static dev.millrace.internal.consumer.EngineFixture.P2;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millrace.config.Ordering;
import dev.millrace.consumer.ConsumerState;
import dev.millrace.errors.ConsumerFailedException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The engine's life against Kafka's own fake consumer: rebalances, failures and closes at will. */
class ConsumerEngineTest {
  private final EngineFixture engine = new EngineFixture();
  private final Queue<Long> handled = new ConcurrentLinkedQueue<>();

  @AfterEach
  void leavesNothing() {
    engine.close();
  }

  @Test
  void handlesCommitsAndCloses() {
    engine.start((value, context) -> handled.add(context.offset()));
    engine.assign(P0);
    engine.add(P0, 0, 10);

    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(10));
    assertThat(handled).hasSize(10);
    engine.handle().close(Duration.ofSeconds(5));

    assertThat(engine.handle().state()).isEqualTo(ConsumerState.CLOSED);
    assertThat(engine.consumer.closed()).isTrue();
  }

  @Test
  void aRevokedPartitionIsDrainedAndCommittedBeforeItLeaves() {
    CountDownLatch running = new CountDownLatch(1);
    engine.start(
        (value, context) -> {
          if (context.partition() == 0 && context.offset() == 2) {
            running.countDown();
            engine.release.await();
          }
          handled.add(context.offset());
        });
    engine.assign(P0, P1);
    engine.add(P0, 0, 3);
    EngineFixture.hold(running);
    engine.consumer.schedulePollTask(
        () -> {
          // Ends while the poll thread waits for it inside the revocation.
          new Thread(
                  () -> {
                    await().until(() -> engine.consumer.revoking);
                    engine.release.countDown();
                  })
              .start();
          engine.consumer.rebalance(List.of(P1));
        });

    await().untilAsserted(() -> assertThat(engine.handle().assignment()).containsExactly(P1));
    assertThat(engine.consumer.lastCommit(P0)).isEqualTo(3);
  }

  @Test
  void queuedRecordsOfARevokedPartitionNeverStart() {
    CountDownLatch running = new CountDownLatch(1);
    engine.ordering = Ordering.PARTITION;
    engine.permits = 1;
    engine.drain = Duration.ofMillis(200);
    engine.start(
        (value, context) -> {
          handled.add(context.offset());
          running.countDown();
          engine.release.await();
        });
    engine.assign(P0);
    engine.add(P0, 0, 100);
    EngineFixture.hold(running);

    engine.consumer.schedulePollTask(() -> engine.consumer.rebalance(List.of()));
    await().untilAsserted(() -> assertThat(engine.handle().assignment()).isEmpty());
    engine.release.countDown();
    engine.handle().close(Duration.ofSeconds(5));

    assertThat(handled).containsExactly(0L);
    assertThat(engine.consumer.lastCommit(P0)).as("the running one ended too late").isEqualTo(-1);
  }

  @Test
  void aLossCommitsNothingAndStartsNothing() {
    CountDownLatch running = new CountDownLatch(1);
    engine.ordering = Ordering.PARTITION;
    engine.commitInterval = Duration.ofHours(1);
    engine.start(
        (value, context) -> {
          handled.add(context.offset());
          if (context.offset() == 1) {
            running.countDown();
            engine.release.await();
          }
        });
    engine.assign(P0);
    engine.add(P0, 0, 3);
    EngineFixture.hold(running);

    // One is finished and not committed, one runs, one waits.
    engine.consumer.schedulePollTask(() -> engine.consumer.lose(List.of(P0)));
    await().untilAsserted(() -> assertThat(engine.handle().assignment()).isEmpty());
    engine.release.countDown();
    await().until(() -> engine.gauge("millrace.consumer.in.flight") == 0);
    engine.handle().close(Duration.ofSeconds(5));

    assertThat(handled).containsExactly(0L, 1L);
    assertThat(engine.consumer.commits).isEmpty();
  }

  @Test
  void anInterruptFlagLeftBehindDoesNotReachTheNextRecord() {
    Queue<Boolean> flags = new ConcurrentLinkedQueue<>();
    engine.ordering = Ordering.PARTITION;
    engine.start(
        (value, context) -> {
          flags.add(Thread.currentThread().isInterrupted());
          Thread.currentThread().interrupt();
        });
    engine.assign(P0);
    engine.add(P0, 0, 3);

    await().untilAsserted(() -> assertThat(flags).containsExactly(false, false, false));
  }

  @Test
  void aKeyThatComesBackWaitsBehindItsOwnOldFlight() {
    AtomicInteger inside = new AtomicInteger();
    AtomicInteger overlaps = new AtomicInteger();
    CountDownLatch running = new CountDownLatch(1);
    CountDownLatch again = new CountDownLatch(2);
    engine.ordering = Ordering.KEY;
    engine.permits = 8;
    engine.drain = Duration.ofMillis(1);
    engine.start(
        (value, context) -> {
          if (inside.incrementAndGet() != 1) {
            overlaps.incrementAndGet();
          }
          running.countDown();
          engine.release.await();
          inside.decrementAndGet();
          again.countDown();
        });
    engine.assign(P0);
    engine.add(P0, 0, 1);
    EngineFixture.hold(running);
    engine.consumer.schedulePollTask(() -> engine.consumer.rebalance(List.of()));
    await().untilAsserted(() -> assertThat(engine.handle().assignment()).isEmpty());

    engine.assign(P0);
    engine.add(P0, 0, 1);
    await()
        .untilAsserted(() -> assertThat(engine.gauge("millrace.consumer.in.flight")).isEqualTo(2));
    engine.release.countDown();

    EngineFixture.hold(again);
    assertThat(overlaps).hasValue(0);
  }

  @Test
  void aFailureOfThePollEndsTheConsumerWithItsCause() {
    engine.start((value, context) -> {});
    engine.assign(P0);
    engine.consumer.setPollException(new KafkaException("not authorized"));

    assertThatThrownBy(() -> engine.handle().awaitClosed(Duration.ofSeconds(10)))
        .isInstanceOf(ConsumerFailedException.class)
        .hasRootCauseMessage("not authorized");
    assertThat(engine.handle().state()).isEqualTo(ConsumerState.FAILED);
  }

  @Test
  void aRecordWhoseAttemptsAreUsedUpStopsTheConsumerBeforeItsOffset() {
    engine.start(
        (value, context) -> {
          if (context.offset() == 3) {
            throw new IllegalArgumentException("no such customer");
          }
          handled.add(context.offset());
        });
    engine.assign(P0);
    engine.add(P0, 0, 10);

    assertThatThrownBy(() -> engine.handle().awaitClosed(Duration.ofSeconds(10)))
        .isInstanceOf(ConsumerFailedException.class)
        .hasMessageContaining("orders-0@3")
        .hasRootCauseMessage("no such customer");
    assertThat(engine.consumer.lastCommit(P0)).isEqualTo(3);
  }

  @Test
  void aFullChannelPausesAndPollsOnAndResumes() {
    engine.ordering = Ordering.KEY;
    engine.permits = 2;
    engine.drain = Duration.ofSeconds(1);
    engine.start(
        (value, context) -> {
          engine.release.await();
          handled.add(context.offset());
        });
    engine.assign(P0);
    engine.add(P0, 0, 20);
    engine.add(P0, 20, 20);

    await().until(() -> engine.consumer.paused().contains(P0));
    int polls = engine.consumer.polls.get();
    await().until(() -> engine.consumer.polls.get() > polls + 3);
    assertThat(engine.gauge("millrace.consumer.in.flight")).isLessThanOrEqualTo(40);
    engine.release.countDown();

    await().until(() -> handled.size() == 40);
    await().until(() -> engine.consumer.paused().isEmpty());
  }

  @Test
  void partitionsAssignedWhileTheChannelIsFullArrivePaused() {
    engine.ordering = Ordering.KEY;
    engine.permits = 2;
    engine.drain = Duration.ofSeconds(1);
    engine.start((value, context) -> engine.release.await());
    engine.assign(P0, P1);
    engine.add(P0, 0, 40);
    engine.add(P1, 0, 40);
    await().until(() -> engine.consumer.paused().containsAll(List.of(P0, P1)));

    engine.consumer.schedulePollTask(() -> engine.consumer.rebalance(List.of(P0, P1, P2)));

    await().untilAsserted(() -> assertThat(engine.consumer.paused()).contains(P0, P1, P2));
  }

  @Test
  void closeReturnsInTimeWhateverAHandlerDoesAndKeepsItsRecordUncommitted() {
    CountDownLatch interrupted = new CountDownLatch(1);
    CountDownLatch running = new CountDownLatch(1);
    engine.start(
        (value, context) -> {
          if (context.offset() == 1) {
            running.countDown();
            try {
              engine.release.await();
            } catch (InterruptedException e) {
              interrupted.countDown();
            }
          }
        });
    engine.assign(P0);
    engine.add(P0, 0, 3);
    EngineFixture.hold(running);
    engine.awaitInFlight(1);

    long start = System.nanoTime();
    engine.handle().close(Duration.ofMillis(500));

    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(20));

    // It returns when its time is up, and what it could not wait for ends soon after.
    await().until(() -> engine.handle().state() == ConsumerState.CLOSED);
    assertThat(engine.consumer.lastCommit(P0)).isEqualTo(1);
    assertThat(engine.registry.getMeters()).isEmpty();
    EngineFixture.hold(interrupted);
  }

  @Test
  void aHandlerMayCloseItsOwnConsumer() throws Exception {
    engine.start((value, context) -> engine.handle().close());
    engine.assign(P0);
    engine.add(P0, 0, 1);

    assertThat(engine.handle().awaitClosed(Duration.ofSeconds(10))).isTrue();
    assertThat(engine.consumer.lastCommit(P0)).isEqualTo(1);
  }

  @Test
  void aPartitionThatComesBackHasOnlyItsUnfinishedRecordsHandledAgain() {
    engine.drain = Duration.ZERO;
    CountDownLatch running = new CountDownLatch(1);
    engine.start(
        (value, context) -> {
          if (context.offset() == 2 && running.getCount() > 0) {
            running.countDown();
            engine.release.await();
          }
          handled.add(context.offset());
        });
    engine.assign(P0);
    engine.add(P0, 0, 10);
    EngineFixture.hold(running);
    engine.awaitInFlight(1);
    assertThat(handled).hasSize(9);

    engine.assign(P1);
    handled.clear();
    engine.assign(P0);
    engine.add(P0, 2, 12);
    engine.release.countDown();

    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(14));
    // 2 twice: its first run ended only after the partition had gone.
    assertThat(handled).containsExactlyInAnyOrder(2L, 2L, 10L, 11L, 12L, 13L);
    assertThat(
            engine
                .registry
                .get("millrace.consumer.records")
                .tag("outcome", "done-before")
                .counter()
                .count())
        .isEqualTo(7);
  }

  @Test
  void whatWasDoneInATopicIsNotDoneInTheOneThatReplacesIt() {
    engine.drain = Duration.ZERO;
    CountDownLatch running = new CountDownLatch(1);
    engine.start(
        (value, context) -> {
          if (context.offset() == 2 && running.getCount() > 0) {
            running.countDown();
            engine.release.await();
          }
          handled.add(context.offset());
        });
    engine.assign(P0);
    engine.add(P0, 0, 10);
    EngineFixture.hold(running);
    engine.awaitInFlight(1);
    assertThat(handled).hasSize(9);

    engine.assign(P1);
    engine.release.countDown();
    await().until(() -> handled.contains(2L));
    handled.clear();
    // The new log is too short for the committed offset: the client begins at its beginning.
    engine.consumer.schedulePollTask(
        () -> {
          engine.consumer.rebalance(List.of(P0));
          engine.consumer.seek(P0, 0);
        });
    engine.add(P0, 0, 10);

    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(10));
    assertThat(handled).containsExactlyInAnyOrder(0L, 1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L);
  }

  @Test
  void aLogThatStartsAgainWithMarkersIsAnotherLogToo() {
    engine.drain = Duration.ZERO;
    CountDownLatch oldRuns = new CountDownLatch(1);
    CountDownLatch oldEnds = new CountDownLatch(1);
    engine.start(
        (value, context) -> {
          if (context.offset() == 8) {
            oldRuns.countDown();
            oldEnds.await();
          } else if (context.offset() == 3 && handled.contains(3L)) {
            engine.release.await();
          }
          handled.add(context.offset());
        });
    engine.assign(P0);
    engine.add(P0, 0, 10);
    EngineFixture.hold(oldRuns);
    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(8));

    engine.consumer.schedulePollTask(
        () -> {
          engine.consumer.seek(P0, 3);
          engine.consumer.onlyMarkers = Map.of(P0, new OffsetAndMetadata(3));
        });
    engine.add(P0, 3, 4);
    await().untilAsserted(() -> assertThat(handled).filteredOn(o -> o >= 4 && o <= 6).hasSize(6));
    oldEnds.countDown();
    await().until(() -> handled.contains(8L));
    engine.letTurnsPass();

    assertThat(engine.consumer.lastCommit(P0)).isEqualTo(3);
  }

  @Test
  void whatCannotBeLearnedIsHandledAgain() {
    engine.consumer.committedFails = true;
    engine.start((value, context) -> handled.add(context.offset()));
    engine.assign(P0);
    engine.add(P0, 0, 3);

    await().untilAsserted(() -> assertThat(handled).hasSize(3));
  }
}
