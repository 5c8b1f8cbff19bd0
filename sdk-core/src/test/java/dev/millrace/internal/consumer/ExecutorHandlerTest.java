package dev.millrace.internal.consumer;

import static dev.millrace.internal.consumer.EngineFixture.P0;
import static dev.millrace.internal.consumer.EngineFixture.P1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.config.HandlerWatchdogDefinition;
import dev.millrace.config.WatchdogPolicy;
import dev.millrace.consumer.ConsumerExplanation.Overdue;
import dev.millrace.consumer.ConsumerExplanation.Partition;
import dev.millrace.consumer.ConsumerState;
import dev.millrace.consumer.RecordHandler;
import dev.millrace.internal.delivery.Handling;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Handlers in the caller's executor, which begins what it is given when it likes. */
class ExecutorHandlerTest {
  private final EngineFixture engine = new EngineFixture();

  /** What the executor has been given and has not begun. */
  private final BlockingQueue<Runnable> tasks = new LinkedBlockingQueue<>();

  private final Queue<Long> begun = new ConcurrentLinkedQueue<>();
  private final Queue<String> deadLetters = new ConcurrentLinkedQueue<>();

  @AfterEach
  void leavesNothing() {
    engine.close();
  }

  @Test
  void waitingForTheExecutorIsNoTimeInTheHandler() throws Exception {
    sendsDeadLetters();
    engine.watchdog = watchdog(WatchdogPolicy.DEAD_LETTER);
    start(
        (value, context) -> {
          begun.add(context.offset());
          if (context.offset() == 0) {
            awaitReleaseWhateverComes();
          }
        });
    engine.assign(P0);
    engine.add(P0, 0, 3);
    beginNext();
    await().until(() -> tasks.size() == 2);

    double before = engine.gauge("millrace.consumer.oldest.running");
    await().until(() -> engine.gauge("millrace.consumer.oldest.running") > before + 2);
    assertThat(engine.explained().overdue()).extracting(Overdue::offset).containsExactly(0L);
    engine.release.countDown();
    beginNext();
    beginNext();

    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(3));
    assertThat(begun).containsExactlyInAnyOrder(0L, 1L, 2L);
    assertThat(deadLetters).containsExactly("value-0");
  }

  @Test
  void whatTheExecutorHasNotBegunIsExplained() {
    start((value, context) -> begun.add(context.offset()));
    engine.assign(P0);
    engine.add(P0, 0, 2);
    await().until(() -> tasks.size() == 2);

    Partition partition = engine.explained().partitions().get(0);
    assertThat(partition.verdict())
        .startsWith("waits for orders-0@0, which its executor has not begun for ");
    assertThat(partition.counts().running()).isZero();
    assertThat(partition.counts().queued()).isEqualTo(2);
    assertThat(engine.explained().permits().used()).isEqualTo(2);
  }

  @Test
  void aPartitionThatLeavesDoesNotWaitForWhatHasNotBegunAndThatNeverBegins() throws Exception {
    engine.drain = Duration.ofHours(1);
    start((value, context) -> begun.add(context.offset()));
    engine.assign(P0);
    engine.add(P0, 0, 3);
    await().until(() -> tasks.size() == 3);

    engine.leave(P0);
    for (int task = 0; task < 3; task++) {
      tasks.take().run();
    }

    assertThat(begun).isEmpty();
    await().until(() -> engine.explained().permits().used() == 0);
    engine.awaitInFlight(0);
    engine.assign(P1);
    engine.add(P1, 7, 1);
    tasks.take().run();
    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P1)).isEqualTo(8));
  }

  @Test
  void nothingBeginsOnceTheConsumerIsClosed() throws Exception {
    start((value, context) -> begun.add(context.offset()));
    engine.assign(P0);
    engine.add(P0, 0, 2);
    await().until(() -> tasks.size() == 2);

    engine.handle().close(Duration.ofSeconds(2));
    tasks.take().run();
    tasks.take().run();

    assertThat(begun).isEmpty();
    assertThat(engine.handle().state()).isEqualTo(ConsumerState.CLOSED);
  }

  @Test
  void aTaskThatIsRunTwiceHandlesItsRecordOnce() throws Exception {
    start((value, context) -> begun.add(context.offset()));
    engine.assign(P0);
    engine.add(P0, 0, 1);
    Runnable task = tasks.take();

    task.run();
    task.run();

    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(1));
    assertThat(begun).containsExactly(0L);
  }

  @Test
  void handlersThatStillRunAtTheEndOfACloseAreInterrupted() throws Exception {
    CountDownLatch interrupted = new CountDownLatch(1);
    start(
        (value, context) -> {
          begun.add(context.offset());
          try {
            engine.release.await();
          } catch (InterruptedException atTheClose) {
            interrupted.countDown();
          }
        });
    engine.assign(P0);
    engine.add(P0, 0, 1);
    beginNext();
    await().until(() -> !begun.isEmpty());

    engine.handle().close(Duration.ofSeconds(1));

    EngineFixture.hold(interrupted);
  }

  @Test
  void aHandlerThatHangsSinceItsPartitionHasLeftIsInterruptedByTheClose() throws Exception {
    CountDownLatch interrupted = new CountDownLatch(1);
    engine.drain = Duration.ZERO;
    start(
        (value, context) -> {
          begun.add(context.offset());
          try {
            engine.release.await();
          } catch (InterruptedException atTheClose) {
            interrupted.countDown();
          }
        });
    engine.assign(P0);
    engine.add(P0, 0, 1);
    beginNext();
    await().until(() -> !begun.isEmpty());
    engine.leave(P0);

    engine.handle().close(Duration.ofSeconds(1));

    EngineFixture.hold(interrupted);
  }

  @Test
  void aHandlerThatClosesItsConsumerDoesNotWaitForItself() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    start(
        (value, context) -> {
          engine.handle().close(Duration.ofHours(1));
          asked.countDown();
        });
    engine.assign(P0);
    engine.add(P0, 0, 1);
    beginNext();

    EngineFixture.hold(asked);
    await().until(() -> engine.handle().state() == ConsumerState.CLOSED);
    assertThat(engine.consumer.lastCommit(P0)).isEqualTo(1);
  }

  private void start(RecordHandler<String> handler) {
    engine.start(Handling.onExecutor(handler, tasks::add));
  }

  private void beginNext() throws InterruptedException {
    new Thread(tasks.take(), "callers").start();
  }

  private void awaitReleaseWhateverComes() {
    while (engine.release.getCount() > 0) {
      try {
        engine.release.await();
      } catch (InterruptedException ignored) {
        // As a handler does that is deaf.
      }
    }
  }

  private void sendsDeadLetters() {
    engine.deadLetterSender =
        message -> {
          deadLetters.add(new String(message.value(), StandardCharsets.UTF_8));
          return CompletableFuture.completedFuture(
              new RecordMetadata(new TopicPartition("dlq", 0), 0, 0, 0, 0, 0));
        };
  }

  private static HandlerWatchdogDefinition watchdog(WatchdogPolicy policy) {
    return new HandlerWatchdogDefinition(Duration.ofMillis(200), policy);
  }
}
