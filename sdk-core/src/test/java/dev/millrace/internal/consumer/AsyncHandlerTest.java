package dev.millrace.internal.consumer;

import static dev.millrace.internal.consumer.EngineFixture.P0;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millrace.config.Ordering;
import dev.millrace.consumer.ConsumerExplanation.Partition;
import dev.millrace.consumer.ConsumerExplanation.RunningElsewhere;
import dev.millrace.errors.ConsumerFailedException;
import dev.millrace.internal.delivery.Handling;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Handlers that go on without a worker: the permit, the key and the offset wait for them. */
class AsyncHandlerTest {
  private final EngineFixture engine = new EngineFixture();
  private final Map<Long, CompletableFuture<@Nullable Void>> stages = new ConcurrentHashMap<>();
  private final Queue<Long> begun = new ConcurrentLinkedQueue<>();

  @AfterEach
  void leavesNothing() {
    stages.values().forEach(stage -> stage.complete(null));
    engine.close();
  }

  @Test
  void asManyAreAtWorkAsThereArePermitsWhateverTheThreads() {
    engine.permits = 15;
    engine.startAsync((value, context) -> begin(context.offset()));
    engine.assign(P0);
    engine.add(P0, 0, 20);

    await().until(() -> stages.size() == 15);
    engine.letTurnsPass();
    assertThat(stages).hasSize(15);
    assertThat(engine.handle().explain().permits().used()).isEqualTo(15);

    stages.get(7L).complete(null);
    await().until(() -> stages.size() == 16);
  }

  @Test
  void theOffsetIsCommittedWhenTheStageHasCompletedAndNotBefore() {
    engine.startAsync((value, context) -> begin(context.offset()));
    engine.assign(P0);
    engine.add(P0, 0, 3);
    await().until(() -> stages.size() == 3);

    stages.get(1L).complete(null);
    stages.get(2L).complete(null);
    await().untilAsserted(() -> assertThat(engine.lastMetadata(P0)).isNotEmpty());
    assertThat(engine.consumer.lastCommit(P0)).isZero();

    stages.get(0L).complete(null);
    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(3));
  }

  @Test
  void recordsThatShareAnOrderWaitForTheStage() {
    engine.ordering = Ordering.PARTITION;
    engine.startAsync((value, context) -> begin(context.offset()));
    engine.assign(P0);
    engine.add(P0, 0, 3);

    for (long offset = 0; offset < 3; offset++) {
      long current = offset;
      await().until(() -> stages.containsKey(current));
      engine.letTurnsPass();
      assertThat(begun).hasSize((int) offset + 1);
      stages.get(current).complete(null);
    }
    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(3));
    assertThat(begun).containsExactly(0L, 1L, 2L);
  }

  @Test
  void aStageThatFailsIsTriedAgainThenGoesToTheDeadLetterTopicFromAWorker() {
    Queue<String> senders = new ConcurrentLinkedQueue<>();
    engine.attempts = 3;
    engine.deadLetterSender =
        message -> {
          senders.add(Thread.currentThread().getName());
          return CompletableFuture.completedFuture(
              new RecordMetadata(new TopicPartition("dlq", 0), 0, 0, 0, 0, 0));
        };
    AtomicInteger attempts = new AtomicInteger();
    Queue<CompletableFuture<@Nullable Void>> asked = new ConcurrentLinkedQueue<>();
    engine.startAsync(
        (value, context) -> {
          attempts.incrementAndGet();
          CompletableFuture<@Nullable Void> stage = new CompletableFuture<>();
          asked.add(stage);
          return stage;
        });
    engine.assign(P0);
    engine.add(P0, 0, 1);

    for (int attempt = 1; attempt <= 3; attempt++) {
      int current = attempt;
      await().until(() -> attempts.get() == current);
      await().until(() -> !asked.isEmpty());
      asked.remove().completeExceptionally(new IllegalStateException("no stock"));
    }

    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(1));
    assertThat(senders).singleElement().asString().startsWith("millrace-engine-test-worker-");
    assertThat(outcome("retried")).isEqualTo(2);
    assertThat(outcome("dead-lettered")).isEqualTo(1);
    assertThat(engine.handle().explain().permits().used()).isZero();
  }

  @Test
  void whatAStageDependsOnIsWhatFailed() {
    engine.attempts = 1;
    engine.startAsync(
        (value, context) ->
            CompletableFuture.failedFuture(new IllegalStateException("no stock"))
                .thenApply(unreached -> unreached));
    engine.assign(P0);
    engine.add(P0, 0, 1);

    assertThatThrownBy(() -> engine.handle().awaitClosed(Duration.ofSeconds(20)))
        .isInstanceOf(ConsumerFailedException.class)
        .hasMessageContaining("orders-0@0")
        .cause()
        .isExactlyInstanceOf(IllegalStateException.class);
  }

  @Test
  void aHandlerThatReturnsNoStageOrThrowsHasFailed() {
    engine.startAsync(
        (value, context) -> {
          if (context.attempt() > 1) {
            return CompletableFuture.completedFuture(null);
          }
          if (context.offset() == 0) {
            throw new IllegalStateException("before there is a stage");
          }
          return null;
        });
    engine.assign(P0);
    engine.add(P0, 0, 2);

    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(2));
    assertThat(outcome("retried")).isEqualTo(2);
  }

  @Test
  void aPartitionThatLeavesWaitsForItsStages() {
    engine.startAsync((value, context) -> begin(context.offset()));
    engine.assign(P0);
    engine.add(P0, 0, 1);
    await().until(() -> stages.size() == 1);

    engine.consumer.schedulePollTask(() -> engine.consumer.rebalance(List.of()));
    await().until(() -> engine.consumer.revoking);
    stages.get(0L).complete(null);

    await().until(() -> engine.handle().assignment().isEmpty());
    assertThat(engine.consumer.lastCommit(P0)).isEqualTo(1);
  }

  @Test
  void aStageThatCompletesAfterItsPartitionHasLeftCountsNoMore() {
    engine.drain = Duration.ofMillis(1);
    engine.startAsync((value, context) -> begin(context.offset()));
    engine.assign(P0);
    engine.add(P0, 0, 2);
    await().until(() -> stages.size() == 2);
    engine.consumer.schedulePollTask(() -> engine.consumer.rebalance(List.of()));
    await().until(() -> engine.handle().assignment().isEmpty());

    stages.values().forEach(stage -> stage.complete(null));

    await().until(() -> engine.handle().explain().permits().used() == 0);
    assertThat(engine.consumer.lastCommit(P0)).isLessThan(1);
    assertThat(outcome("handled")).isZero();
    await().until(() -> engine.gauge("millrace.consumer.in.flight") == 0);
  }

  @Test
  void aStageThatNeverCompletesIsExplained() {
    engine.startAsync((value, context) -> begin(context.offset()));
    engine.assign(P0);
    engine.add(P0, 0, 1);
    await().until(() -> stages.size() == 1);

    await()
        .untilAsserted(
            () -> {
              Partition partition = engine.handle().explain().partitions().get(0);
              assertThat(partition.oldest().orElseThrow().activity())
                  .isInstanceOf(RunningElsewhere.class);
              assertThat(partition.verdict())
                  .contains("waits for orders-0@0, whose stage has not completed for ");
              assertThat(partition.counts().running()).isEqualTo(1);
            });
  }

  @Test
  void handlersRunInTheCallersExecutorAsManyAsThereArePermits() {
    Queue<String> threads = new ConcurrentLinkedQueue<>();
    CountDownLatch all = new CountDownLatch(12);
    engine.permits = 12;
    engine.start(
        Handling.onExecutor(
            (value, context) -> {
              threads.add(Thread.currentThread().getName());
              all.countDown();
              engine.release.await();
            },
            task -> new Thread(task, "callers-" + threads.size()).start()));
    engine.assign(P0);
    engine.add(P0, 0, 13);
    EngineFixture.hold(all);

    await()
        .untilAsserted(
            () ->
                assertThat(engine.handle().explain().toString())
                    .contains("in thread callers-", "AsyncHandlerTest"));
    engine.letTurnsPass();
    assertThat(threads).hasSize(12).allMatch(name -> name.startsWith("callers-"));

    engine.release.countDown();
    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(13));
  }

  @Test
  void aTaskThatTheExecutorRejectsIsAFailedAttempt() {
    AtomicInteger tasks = new AtomicInteger();
    engine.start(
        Handling.onExecutor(
            (value, context) -> begun.add(context.offset()),
            task -> {
              if (tasks.incrementAndGet() == 1) {
                throw new RejectedExecutionException("full");
              }
              task.run();
            }));
    engine.assign(P0);
    engine.add(P0, 0, 1);

    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(1));
    assertThat(begun).containsExactly(0L);
    assertThat(outcome("retried")).isEqualTo(1);
  }

  private CompletableFuture<@Nullable Void> begin(long offset) {
    begun.add(offset);
    CompletableFuture<@Nullable Void> stage = new CompletableFuture<>();
    stages.put(offset, stage);
    return stage;
  }

  private double outcome(String outcome) {
    return engine
        .registry
        .get("millrace.consumer.records")
        .tag("outcome", outcome)
        .counter()
        .count();
  }
}
