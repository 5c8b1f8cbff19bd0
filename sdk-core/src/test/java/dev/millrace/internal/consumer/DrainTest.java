package dev.millrace.internal.consumer;

import static dev.millrace.internal.consumer.EngineFixture.P0;
import static dev.millrace.internal.consumer.EngineFixture.P1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.config.Ordering;
import dev.millrace.consumer.ConsumerState;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** How partitions come to rest, whatever their handlers do at that moment. */
class DrainTest {
  private final EngineFixture engine = new EngineFixture();
  private final Queue<String> handled = new ConcurrentLinkedQueue<>();
  private final CountDownLatch running = new CountDownLatch(1);

  @AfterEach
  void leavesNothing() {
    engine.close();
  }

  /** A drain of minutes, a back-off of minutes: only not waiting for them ends this in seconds. */
  @Test
  void aRecordThatOnlyRestsBetweenAttemptsIsNotWaitedFor() {
    engine.drain = Duration.ofMinutes(2);
    engine.backoff = Duration.ofMinutes(2);
    engine.start(
        (value, context) -> {
          running.countDown();
          await().until(() -> engine.consumer.revoking);
          throw new IllegalStateException("try later");
        });
    engine.assign(P0);
    engine.add(P0, 0, 1);
    EngineFixture.hold(running);

    engine.consumer.schedulePollTask(() -> engine.consumer.rebalance(List.of()));

    await().untilAsserted(() -> assertThat(engine.handle().assignment()).isEmpty());
  }

  @Test
  void noAttemptStartsOnceThePartitionHasBegunToLeave() {
    AtomicBoolean draining = new AtomicBoolean();
    AtomicInteger startedTooLate = new AtomicInteger();
    engine.backoff = Duration.ofMillis(1);
    engine.attempts = 1_000;
    engine.drain = EngineFixture.SOON;
    engine.start(
        (value, context) -> {
          if (draining.get()) {
            startedTooLate.incrementAndGet();
          }
          running.countDown();
          await().until(engine::isDraining);
          draining.set(true);
          throw new IllegalStateException("try later");
        });
    engine.assign(P0);
    engine.add(P0, 0, 10);
    EngineFixture.hold(running);

    // 4 permits run, 6 records are queued when the revocation begins.
    engine.consumer.schedulePollTask(() -> engine.consumer.rebalance(List.of()));
    await().untilAsserted(() -> assertThat(engine.handle().assignment()).isEmpty());

    assertThat(startedTooLate).hasValue(0);
  }

  @Test
  void recordsOfARevokedPartitionGiveTheirRoomBackThoughTheirLaneHangs() {
    engine.ordering = Ordering.PARTITION;
    engine.drain = Duration.ofMillis(10);
    engine.start(
        (value, context) -> {
          if (context.partition() == 0) {
            running.countDown();
            engine.release.await();
          }
          handled.add(context.partition() + "@" + context.offset());
        });
    engine.assign(P0, P1);
    engine.add(P0, 0, EngineFixture.CAPACITY);
    EngineFixture.hold(running);
    await().until(() -> engine.consumer.paused().contains(P0));

    engine.consumer.schedulePollTask(() -> engine.consumer.rebalance(List.of(P1)));
    engine.add(P1, 0, 5);

    await().until(() -> handled.contains("1@4"));
    engine.awaitInFlight(1); // the hanging one
  }

  @Test
  void closeInterruptsHandlersOfFormerPartitionsToo() {
    AtomicBoolean interrupted = new AtomicBoolean();
    engine.drain = Duration.ofMillis(10);
    engine.start(
        (value, context) -> {
          running.countDown();
          try {
            engine.release.await();
          } catch (InterruptedException e) {
            interrupted.set(true);
            throw e;
          }
        });
    engine.assign(P0);
    engine.add(P0, 0, 1);
    EngineFixture.hold(running);
    engine.consumer.schedulePollTask(() -> engine.consumer.rebalance(List.of()));
    await().untilAsserted(() -> assertThat(engine.handle().assignment()).isEmpty());

    engine.handle().close(Duration.ofMillis(500));

    await().untilTrue(interrupted);
    await().untilAsserted(() -> assertThat(EngineFixture.engineThreads()).isEmpty());
  }

  @Test
  void aCloseCutsARevocationsDrainShort() throws Exception {
    engine.drain = Duration.ofMinutes(2);
    engine.start(
        (value, context) -> {
          running.countDown();
          engine.release.await();
        });
    engine.assign(P0);
    engine.add(P0, 0, 1);
    EngineFixture.hold(running);
    engine.consumer.schedulePollTask(() -> engine.consumer.rebalance(List.of()));
    await().until(() -> engine.consumer.revoking);

    engine.handle().close(Duration.ofMillis(500));

    assertThat(engine.handle().awaitClosed(Duration.ofSeconds(30))).isTrue();
    assertThat(engine.handle().state()).isEqualTo(ConsumerState.CLOSED);
    assertThat(engine.consumer.lastCommit(P0)).isEqualTo(-1);
  }

  @Test
  void whatEndsDuringTheDrainIsCommittedAndWhatFailsIsNot() {
    AtomicLong failed = new AtomicLong();
    engine.drain = EngineFixture.SOON;
    engine.start(
        (value, context) -> {
          running.countDown();
          await().until(engine::isDraining);
          if (context.offset() == 2) {
            failed.incrementAndGet();
            throw new IllegalStateException("not this one");
          }
        });
    engine.assign(P0);
    engine.add(P0, 0, 4);
    await().until(() -> engine.gauge("millrace.consumer.in.flight") == 4);
    EngineFixture.hold(running);

    engine.consumer.schedulePollTask(() -> engine.consumer.rebalance(List.of()));
    await().untilAsserted(() -> assertThat(engine.handle().assignment()).isEmpty());

    // Which of the four had started when the revocation began is open; none is redone in vain.
    assertThat(failed.get()).isLessThanOrEqualTo(1);
    assertThat(engine.consumer.lastCommit(P0)).isBetween(-1L, 2L);
  }
}
