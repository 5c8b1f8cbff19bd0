package dev.millrace.internal.consumer;

import static dev.millrace.internal.consumer.EngineFixture.P0;
import static dev.millrace.internal.consumer.EngineFixture.P1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millrace.errors.ConsumerClosedException;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The user's pauses, beside those of flow control, and how commands reach the poll thread. */
class PauseTest {
  private final EngineFixture engine = new EngineFixture();
  private final Queue<Long> handled = new ConcurrentLinkedQueue<>();

  @AfterEach
  void leavesNothing() {
    engine.consumer.patient = false;
    engine.consumer.wakeup();
    engine.close();
  }

  @Test
  void intakeStopsAndWhatWasTakenIsHandled() throws Exception {
    CountDownLatch running = new CountDownLatch(1);
    engine.start(
        (value, context) -> {
          running.countDown();
          engine.release.await();
          handled.add(context.offset());
        });
    engine.assign(P0);
    engine.add(P0, 0, 10);
    EngineFixture.hold(running);

    done(engine.handle().pause());
    engine.add(P0, 10, 10);
    engine.release.countDown();

    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(10));
    engine.letTurnsPass();
    assertThat(handled).hasSize(10);
    assertThat(engine.handle().paused()).containsExactly(P0);
    assertThat(engine.handle().assignment()).containsExactly(P0);

    done(engine.handle().resume());
    await().untilAsserted(() -> assertThat(handled).hasSize(20));
    assertThat(engine.handle().paused()).isEmpty();
  }

  @Test
  void aPauseOfAllIsExplainedThoughNoPartitionIsOwned() throws Exception {
    engine.start((value, context) -> {});
    assertThat(engine.explained().pausedSince()).isEmpty();

    done(engine.handle().pause());

    assertThat(engine.handle().paused()).isEmpty();
    assertThat(engine.explained().pausedSince()).isPresent();
    assertThat(engine.explained().toString()).contains("paused by the user since");
    done(engine.handle().resume());
    assertThat(engine.explained().pausedSince()).isEmpty();
  }

  @Test
  void aPausedPartitionThatGoesAndComesBackIsPaused() throws Exception {
    engine.start((value, context) -> handled.add(context.offset()));
    engine.assign(P0, P1);
    done(engine.handle().pause(List.of(P0)));
    assertThat(engine.consumer.paused()).containsExactly(P0);

    engine.assign(P1);
    assertThat(engine.handle().paused()).isEmpty();
    engine.assign(P0, P1);
    engine.add(P0, 0, 5);
    engine.letTurnsPass();

    assertThat(engine.consumer.paused()).containsExactly(P0);
    assertThat(engine.handle().paused()).containsExactly(P0);
    assertThat(handled).isEmpty();
    done(engine.handle().resume(List.of(P0)));
    await().untilAsserted(() -> assertThat(handled).hasSize(5));
  }

  /** The last known lag would stand still while the true one grows. */
  @Test
  void theLagOfAPausedPartitionIsNotKnown() throws Exception {
    engine.start((value, context) -> {});
    engine.assign(P0);
    await().until(() -> engine.gauge("millrace.consumer.lag") == 0);

    done(engine.handle().pause());
    await().until(() -> Double.isNaN(engine.gauge("millrace.consumer.lag")));
    assertThat(engine.explained().partitions().get(0).lag()).isEmpty();

    done(engine.handle().resume());
    await().until(() -> engine.gauge("millrace.consumer.lag") == 0);
  }

  @Test
  void aPauseOfAllMeetsPartitionsThatComeLater() throws Exception {
    engine.start((value, context) -> handled.add(context.offset()));
    done(engine.handle().pause());

    engine.assign(P0, P1);

    assertThat(engine.consumer.paused()).containsExactlyInAnyOrder(P0, P1);
    assertThat(engine.handle().paused()).containsExactlyInAnyOrder(P0, P1);
  }

  @Test
  void theLastWordOnAPartitionCounts() throws Exception {
    engine.start((value, context) -> handled.add(context.offset()));
    engine.assign(P0, P1);

    done(engine.handle().pause());
    done(engine.handle().resume(List.of(P0)));
    assertThat(engine.consumer.paused()).containsExactly(P1);

    done(engine.handle().pause());
    assertThat(engine.consumer.paused()).containsExactlyInAnyOrder(P0, P1);
    done(engine.handle().resume());
    assertThat(engine.consumer.paused()).isEmpty();
  }

  @Test
  void flowControlLiftsItsOwnPauseOnly() throws Exception {
    engine.permits = 2;
    engine.start(
        (value, context) -> {
          engine.release.await();
          handled.add(context.offset());
        });
    engine.assign(P0, P1);
    engine.add(P0, 0, 40);
    engine.add(P1, 0, 40);
    await().until(() -> engine.consumer.paused().equals(Set.of(P0, P1)));
    done(engine.handle().pause(List.of(P0)));

    engine.release.countDown();

    await().until(() -> !engine.consumer.paused().contains(P1));
    engine.letTurnsPass();
    assertThat(engine.consumer.paused()).containsExactly(P0);
  }

  @Test
  void aResumeDoesNotOpenAFullChannel() throws Exception {
    engine.permits = 2;
    engine.drain = Duration.ofSeconds(1);
    engine.start((value, context) -> engine.release.await());
    engine.assign(P0);
    done(engine.handle().pause(List.of(P1)));
    engine.add(P0, 0, 40);
    await().until(() -> engine.consumer.paused().contains(P0));

    done(engine.handle().resume());
    engine.letTurnsPass();

    assertThat(engine.consumer.paused()).contains(P0);
  }

  @Test
  void aCommandEndsThePollsWait() throws Exception {
    engine.start((value, context) -> {});
    engine.assign(P0);
    engine.consumer.patient = true;

    done(engine.handle().pause());
    done(engine.handle().resume());
  }

  /** The commit of the leaving partition runs inside of the poll that was to be woken. */
  @Test
  void aWakeUpDoesNotCostTheCommitOfALeavingPartition() {
    engine.commitInterval = Duration.ofHours(1);
    engine.start((value, context) -> handled.add(context.offset()));
    engine.assign(P0);
    engine.add(P0, 0, 3);
    await().until(() -> handled.size() == 3);

    engine.consumer.schedulePollTask(
        () -> {
          var unused = engine.handle().pause();
          engine.consumer.rebalance(List.of());
        });

    await().untilAsserted(() -> assertThat(engine.handle().assignment()).isEmpty());
    assertThat(engine.consumer.lastCommit(P0)).isEqualTo(3);
  }

  @Test
  void whatIsAskedWhenTheConsumerEndsIsRefused() {
    AtomicReference<CompletableFuture<Void>> asked = new AtomicReference<>();
    engine.start((value, context) -> {});
    engine.assign(P0);
    engine.consumer.schedulePollTask(
        () -> {
          engine.consumer.setPollException(new KafkaException("not authorized"));
          asked.set(engine.handle().pause());
        });

    await().until(() -> asked.get() != null && asked.get().isDone());
    assertThatThrownBy(() -> done(asked.get()))
        .isInstanceOf(ExecutionException.class)
        .hasRootCauseInstanceOf(ConsumerClosedException.class)
        .rootCause()
        .hasMessage("Consumer 'engine-test' has ended, or is about to; it did not pause.");
    assertThatThrownBy(() -> done(engine.handle().resume()))
        .hasRootCauseInstanceOf(ConsumerClosedException.class);
  }

  /** The close waits for the handler, so the handler must not wait for the poll thread. */
  @Test
  void aHandlerThatAsksWhileTheConsumerEndsIsToldSo() {
    CountDownLatch running = new CountDownLatch(1);
    Queue<Throwable> told = new ConcurrentLinkedQueue<>();
    engine.attempts = 1;
    engine.start(
        (value, context) -> {
          running.countDown();
          engine.release.await();
          try {
            done(engine.handle().pause());
          } catch (ExecutionException e) {
            told.add(e.getCause());
          }
        });
    engine.assign(P0);
    engine.add(P0, 0, 1);
    EngineFixture.hold(running);
    engine.consumer.schedulePollTask(
        () -> engine.consumer.setPollException(new KafkaException("not authorized")));
    await().until(() -> engine.handle().failure().isPresent());

    engine.release.countDown();

    await().until(() -> told.size() == 1);
    assertThat(told.peek()).isInstanceOf(ConsumerClosedException.class);
    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(1));
  }

  @Test
  void whatHangsOnAFutureDoesNotRunOnThePollThread() throws Exception {
    engine.start((value, context) -> {});
    engine.assign(P0);
    CompletableFuture<String> thread = new CompletableFuture<>();
    engine.consumer.schedulePollTask(
        () -> {
          var unused =
              engine
                  .handle()
                  .pause()
                  .thenRun(() -> thread.complete(Thread.currentThread().getName()));
        });

    assertThat(thread.get(EngineFixture.SOON.toSeconds(), TimeUnit.SECONDS))
        .doesNotStartWith("millrace-");
  }

  @Test
  void partitionsOfOtherTopicsAreRefused() {
    engine.start((value, context) -> {});

    assertThatThrownBy(() -> engine.handle().pause(List.of(new TopicPartition("refunds", 3))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Consumer 'engine-test' does not read [refunds-3]; its topics are [orders].");
  }

  static void done(CompletableFuture<Void> asked) throws Exception {
    asked.get(EngineFixture.SOON.toSeconds(), TimeUnit.SECONDS);
  }
}
