package dev.millrace.internal.consumer;

import static dev.millrace.internal.consumer.EngineFixture.P0;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.config.HandlerWatchdogDefinition;
import dev.millrace.config.Ordering;
import dev.millrace.config.WatchdogPolicy;
import dev.millrace.consumer.ConsumerExplanation;
import dev.millrace.errors.HandlerTimeoutException;
import dev.millrace.internal.delivery.Handling;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What becomes of records that stay in their handler for too long. */
class LongHandlerTest {
  private final EngineFixture engine = new EngineFixture();
  private final Queue<ProducerRecord<byte[], byte[]>> deadLetters = new ConcurrentLinkedQueue<>();
  private final Queue<String> seen = new ConcurrentLinkedQueue<>();

  @AfterEach
  void leavesNothing() {
    engine.close();
  }

  @Test
  void anInterruptedHandlerHasFailedAndIsTriedAgain() {
    engine.watchdog = watchdog(WatchdogPolicy.INTERRUPT);
    engine.start(
        (value, context) -> {
          seen.add(context.offset() + "#" + context.attempt());
          if (context.attempt() == 1) {
            engine.release.await();
          }
        });
    engine.assign(P0);
    engine.add(P0, 0, 1);

    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(1));
    assertThat(seen).containsExactly("0#1", "0#2");
  }

  @Test
  void aRecordThatIsGivenUpGoesToTheDeadLetterTopicAtOnce() {
    sendsDeadLetters();
    engine.watchdog = watchdog(WatchdogPolicy.DEAD_LETTER);
    engine.start(
        (value, context) -> {
          seen.add(context.offset() + "#" + context.attempt());
          engine.release.await();
        });
    engine.assign(P0);
    engine.add(P0, 0, 1);

    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(1));
    assertThat(seen).containsExactly("0#1");
    assertThat(header("millrace-exception-class"))
        .isEqualTo(HandlerTimeoutException.class.getName());
    assertThat(header("millrace-exception-message"))
        .startsWith(
            "Consumer 'engine-test' gave up orders-0@0, which had been in its handler for ");
  }

  @Test
  void allRecordsOfABatchThatIsGivenUpGoToTheDeadLetterTopicAtOnce() {
    sendsDeadLetters();
    engine.ordering = Ordering.PARTITION;
    engine.watchdog = watchdog(WatchdogPolicy.DEAD_LETTER);
    engine.startBatch(
        records -> {
          records.forEach(
              record -> seen.add(record.context().offset() + "#" + record.context().attempt()));
          engine.release.await();
        });
    engine.assign(P0);
    engine.add(P0, 0, 3);

    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(3));
    assertThat(seen).containsExactly("0#1", "1#1", "2#1");
    assertThat(deadLetters).hasSize(3);
  }

  @Test
  void theNextOfTheKeyWaitsForADeafHandlerWhoseRecordIsGivenUpThoughItReturns() {
    CountDownLatch interrupted = new CountDownLatch(1);
    sendsDeadLetters();
    engine.ordering = Ordering.PARTITION;
    engine.watchdog = watchdog(WatchdogPolicy.DEAD_LETTER);
    engine.start(
        (value, context) -> {
          seen.add("starts " + context.offset());
          if (context.offset() == 0) {
            ignoreInterrupts(interrupted);
          }
          seen.add("ends " + context.offset());
        });
    engine.assign(P0);
    engine.add(P0, 0, 2);
    EngineFixture.hold(interrupted);
    engine.letTurnsPass();

    assertThat(seen).containsExactly("starts 0");
    assertThat(deadLetters).isEmpty();
    engine.release.countDown();

    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(2));
    assertThat(seen).containsExactly("starts 0", "ends 0", "starts 1", "ends 1");
    assertThat(deadLetters).hasSize(1);
  }

  @Test
  void aStageThatIsLateIsGivenUpWhenItCompletes() {
    CompletableFuture<@Nullable Void> stage = new CompletableFuture<>();
    sendsDeadLetters();
    engine.watchdog = watchdog(WatchdogPolicy.DEAD_LETTER);
    engine.startAsync((value, context) -> stage);
    engine.assign(P0);
    engine.add(P0, 0, 1);
    await().until(() -> !explained().overdue().isEmpty());
    awaitTurnOfWatchdog();
    assertThat(deadLetters).isEmpty();

    stage.complete(null);

    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(1));
    assertThat(deadLetters).hasSize(1);
  }

  @Test
  void aHandlerInTheCallersExecutorIsInterruptedAndItsThreadGivenBackClean() {
    engine.watchdog = watchdog(WatchdogPolicy.INTERRUPT);
    engine.start(
        Handling.onExecutor(
            (value, context) -> {
              if (context.attempt() == 1) {
                spinUntilInterrupted();
                throw new IllegalStateException("interrupted");
              }
            },
            task ->
                new Thread(
                        () -> {
                          task.run();
                          seen.add("interrupted: " + Thread.currentThread().isInterrupted());
                        })
                    .start()));
    engine.assign(P0);
    engine.add(P0, 0, 1);

    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(1));
    await().until(() -> seen.size() == 2);
    assertThat(seen).containsOnly("interrupted: false");
  }

  @Test
  void theConsumerIsUnhealthyAndSaysWhyUntilTheHandlerEnds() {
    engine.watchdog = watchdog(WatchdogPolicy.UNHEALTHY);
    engine.start((value, context) -> engine.release.await());
    engine.assign(P0);
    assertThat(engine.handle().isHealthy()).isTrue();
    engine.add(P0, 0, 1);

    await().until(() -> !engine.handle().isHealthy());
    ConsumerExplanation explanation = explained();
    assertThat(explanation.overdue()).singleElement().extracting("offset").isEqualTo(0L);
    assertThat(explanation.toString())
        .containsPattern("overdue: orders-0@0, running for .* in LongHandlerTest\\.");
    assertThat(engine.gauge("millrace.consumer.oldest.running")).isPositive();

    engine.release.countDown();
    await().until(() -> engine.handle().isHealthy());
    assertThat(engine.gauge("millrace.consumer.oldest.running")).isZero();
    engine.handle().close(Duration.ofSeconds(5));
    assertThat(engine.handle().isHealthy()).isFalse();
  }

  @Test
  void aHandlerThatHangsSinceItsPartitionHasLeftIsInterrupted() {
    engine.drain = Duration.ZERO;
    engine.watchdog = watchdog(WatchdogPolicy.INTERRUPT);
    engine.start(
        (value, context) -> {
          seen.add("starts");
          engine.release.await();
        });
    engine.assign(P0);
    engine.add(P0, 0, 1);
    await().until(() -> !seen.isEmpty());
    engine.consumer.schedulePollTask(() -> engine.consumer.rebalance(List.of()));
    await().until(() -> engine.handle().assignment().isEmpty());

    await().until(() -> explained().permits().used() == 0);
    assertThat(engine.consumer.lastCommit(P0)).isLessThan(1);
  }

  private void sendsDeadLetters() {
    engine.deadLetterSender =
        message -> {
          deadLetters.add(message);
          return CompletableFuture.completedFuture(
              new RecordMetadata(new TopicPartition("dlq", 0), 0, 0, 0, 0, 0));
        };
  }

  private String header(String name) {
    return new String(
        deadLetters.element().headers().lastHeader(name).value(), StandardCharsets.UTF_8);
  }

  private ConsumerExplanation explained() {
    return engine.handle().explain();
  }

  /** Waits until a look has begun and ended after this moment. */
  private void awaitTurnOfWatchdog() {
    double before = engine.gauge("millrace.consumer.oldest.running");
    await().until(() -> engine.gauge("millrace.consumer.oldest.running") > before + 2);
  }

  private void ignoreInterrupts(CountDownLatch interrupted) {
    while (engine.release.getCount() > 0) {
      try {
        engine.release.await();
      } catch (InterruptedException e) {
        interrupted.countDown();
      }
    }
  }

  private static void spinUntilInterrupted() {
    while (!Thread.currentThread().isInterrupted()) {
      Thread.onSpinWait();
    }
  }

  private static HandlerWatchdogDefinition watchdog(WatchdogPolicy policy) {
    return new HandlerWatchdogDefinition(Duration.ofMillis(200), policy);
  }
}
