package dev.millrace.internal.consumer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millrace.config.BackoffDefinition;
import dev.millrace.config.ConsumerDefinition;
import dev.millrace.config.DeliverySemantics;
import dev.millrace.config.Format;
import dev.millrace.config.Ordering;
import dev.millrace.config.RetryDefinition;
import dev.millrace.config.TuningProfile;
import dev.millrace.consumer.ConsumerState;
import dev.millrace.consumer.RecordHandler;
import dev.millrace.errors.ConsumerFailedException;
import dev.millrace.internal.metrics.ConsumerMeters;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The engine's life against Kafka's own fake consumer: rebalances, failures and closes at will. */
class ConsumerEngineTest {
  private static final TopicPartition P0 = new TopicPartition("orders", 0);
  private static final TopicPartition P1 = new TopicPartition("orders", 1);

  private final FakeConsumer consumer = new FakeConsumer(P0, P1);
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final Queue<Long> handled = new ConcurrentLinkedQueue<>();
  private final CountDownLatch release = new CountDownLatch(1);
  private @Nullable EngineHandle handle;

  @AfterEach
  void leavesNothing() {
    release.countDown();
    if (handle != null) {
      handle.close(Duration.ofSeconds(5));
      assertThat(handle.state()).isIn(ConsumerState.CLOSED, ConsumerState.FAILED);
    }
    assertThat(registry.getMeters()).isEmpty();
    await()
        .untilAsserted(
            () ->
                assertThat(Thread.getAllStackTraces().keySet())
                    .noneMatch(thread -> thread.getName().startsWith("millrace-engine-test-")));
  }

  @Test
  void handlesCommitsAndCloses() {
    start((value, context) -> handled.add(context.offset()));
    assign(P0);
    add(P0, 0, 10);

    await().untilAsserted(() -> assertThat(consumer.lastCommit(P0)).isEqualTo(10));
    assertThat(handled).hasSize(10);
    handle().close(Duration.ofSeconds(5));

    assertThat(handle().state()).isEqualTo(ConsumerState.CLOSED);
    assertThat(consumer.closed()).isTrue();
  }

  @Test
  void aRevokedPartitionIsDrainedAndCommittedBeforeItLeaves() {
    CountDownLatch running = new CountDownLatch(1);
    start(
        (value, context) -> {
          if (context.partition() == 0 && context.offset() == 2) {
            running.countDown();
            release.await();
          }
          handled.add(context.offset());
        });
    assign(P0, P1);
    add(P0, 0, 3);
    hold(running);
    consumer.schedulePollTask(
        () -> {
          // Ends while the poll thread waits for it inside the revocation.
          new Thread(
                  () -> {
                    await().until(() -> consumer.revoking);
                    release.countDown();
                  })
              .start();
          consumer.rebalance(List.of(P1));
        });

    await().untilAsserted(() -> assertThat(handle().assignment()).containsExactly(P1));
    assertThat(consumer.lastCommit(P0)).isEqualTo(3);
  }

  @Test
  void queuedRecordsOfARevokedPartitionNeverStart() {
    CountDownLatch running = new CountDownLatch(1);
    start(
        definition(Ordering.PARTITION, 1, Duration.ofMillis(200)),
        (value, context) -> {
          handled.add(context.offset());
          running.countDown();
          release.await();
        });
    assign(P0);
    add(P0, 0, 100);
    hold(running);

    consumer.schedulePollTask(() -> consumer.rebalance(List.of()));
    await().untilAsserted(() -> assertThat(handle().assignment()).isEmpty());
    release.countDown();
    handle().close(Duration.ofSeconds(5));

    assertThat(handled).containsExactly(0L);
    assertThat(consumer.lastCommit(P0)).as("the running one ended too late").isEqualTo(-1);
  }

  @Test
  void aLostPartitionCommitsNothing() {
    start((value, context) -> handled.add(context.offset()));
    assign(P0);
    add(P0, 0, 5);
    await().until(() -> handled.size() == 5);
    await().untilAsserted(() -> assertThat(consumer.lastCommit(P0)).isEqualTo(5));
    int commits = consumer.commits.size();

    consumer.schedulePollTask(() -> consumer.lose(List.of(P0)));
    await().untilAsserted(() -> assertThat(handle().assignment()).isEmpty());

    assertThat(consumer.commits).hasSize(commits);
  }

  @Test
  void aKeyThatComesBackWaitsBehindItsOwnOldFlight() {
    AtomicInteger inside = new AtomicInteger();
    AtomicInteger overlaps = new AtomicInteger();
    CountDownLatch running = new CountDownLatch(1);
    CountDownLatch again = new CountDownLatch(2);
    start(
        definition(Ordering.KEY, 8, Duration.ofMillis(1)),
        (value, context) -> {
          if (inside.incrementAndGet() != 1) {
            overlaps.incrementAndGet();
          }
          running.countDown();
          release.await();
          inside.decrementAndGet();
          again.countDown();
        });
    assign(P0);
    add(P0, 0, 1);
    hold(running);
    consumer.schedulePollTask(() -> consumer.rebalance(List.of()));
    await().untilAsserted(() -> assertThat(handle().assignment()).isEmpty());

    assign(P0);
    add(P0, 0, 1);
    await()
        .untilAsserted(
            () ->
                assertThat(registry.get("millrace.consumer.in.flight").gauge().value())
                    .isEqualTo(2));
    release.countDown();

    hold(again);
    assertThat(overlaps).hasValue(0);
  }

  @Test
  void aFailureOfThePollEndsTheConsumerWithItsCause() {
    start((value, context) -> {});
    assign(P0);
    consumer.setPollException(new KafkaException("not authorized"));

    assertThatThrownBy(() -> handle().awaitClosed(Duration.ofSeconds(10)))
        .isInstanceOf(ConsumerFailedException.class)
        .hasRootCauseMessage("not authorized");
    assertThat(handle().state()).isEqualTo(ConsumerState.FAILED);
  }

  @Test
  void aRecordWhoseAttemptsAreUsedUpStopsTheConsumerBeforeItsOffset() {
    start(
        (value, context) -> {
          if (context.offset() == 3) {
            throw new IllegalArgumentException("no such customer");
          }
          handled.add(context.offset());
        });
    assign(P0);
    add(P0, 0, 10);

    assertThatThrownBy(() -> handle().awaitClosed(Duration.ofSeconds(10)))
        .isInstanceOf(ConsumerFailedException.class)
        .hasMessageContaining("orders-0@3")
        .hasRootCauseMessage("no such customer");
    assertThat(consumer.lastCommit(P0)).isEqualTo(3);
  }

  @Test
  void aFullChannelPausesAndPollsOnAndResumes() {
    start(
        definition(Ordering.KEY, 2, Duration.ofSeconds(1)),
        (value, context) -> {
          release.await();
          handled.add(context.offset());
        });
    assign(P0);
    add(P0, 0, 20);
    add(P0, 20, 20);

    await().until(() -> consumer.paused().contains(P0));
    int polls = consumer.polls.get();
    await().until(() -> consumer.polls.get() > polls + 3);
    assertThat(registry.get("millrace.consumer.in.flight").gauge().value()).isLessThanOrEqualTo(40);
    release.countDown();

    await().until(() -> handled.size() == 40);
    await().until(() -> consumer.paused().isEmpty());
  }

  @Test
  void partitionsAssignedWhileTheChannelIsFullArrivePaused() {
    start(definition(Ordering.KEY, 2, Duration.ofSeconds(1)), (value, context) -> release.await());
    assign(P0);
    add(P0, 0, 40);
    await().until(() -> consumer.paused().contains(P0));

    consumer.schedulePollTask(() -> consumer.rebalance(List.of(P0, P1)));

    await().untilAsserted(() -> assertThat(consumer.paused()).contains(P0, P1));
  }

  @Test
  void closeReturnsInTimeWhateverAHandlerDoesAndKeepsItsRecordUncommitted() {
    CountDownLatch running = new CountDownLatch(1);
    start(
        (value, context) -> {
          if (context.offset() == 1) {
            running.countDown();
            boolean ignored = release.await(1, TimeUnit.MINUTES);
          }
        });
    assign(P0);
    add(P0, 0, 3);
    hold(running);

    long start = System.nanoTime();
    handle().close(Duration.ofMillis(500));

    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(20));
    assertThat(handle().state()).isEqualTo(ConsumerState.CLOSED);
    assertThat(consumer.lastCommit(P0)).isEqualTo(1);
    assertThat(registry.getMeters()).isEmpty();
  }

  @Test
  void aHandlerMayCloseItsOwnConsumer() throws Exception {
    start((value, context) -> handle().close());
    assign(P0);
    add(P0, 0, 1);

    assertThat(handle().awaitClosed(Duration.ofSeconds(10))).isTrue();
    assertThat(consumer.lastCommit(P0)).isEqualTo(1);
  }

  private void start(RecordHandler<String> handler) {
    start(definition(Ordering.KEY, 4, Duration.ofSeconds(5)), handler);
  }

  private void start(ConsumerDefinition definition, RecordHandler<String> handler) {
    StopRequest stop = new StopRequest();
    ConsumerEngine engine =
        new ConsumerEngine(
            definition,
            20,
            consumer,
            new StringDeserializer(),
            handler,
            null,
            new ConsumerMeters(registry, definition.name(), definition.groupId()),
            stop);
    handle = new EngineHandle(definition.name(), Duration.ofSeconds(5), engine, stop, ended -> {});
    handle.start();
  }

  private EngineHandle handle() {
    EngineHandle started = handle;
    assertThat(started).isNotNull();
    return started;
  }

  private static ConsumerDefinition definition(Ordering ordering, int permits, Duration drain) {
    return new ConsumerDefinition(
        "engine-test",
        List.of("localhost:9092"),
        List.of("orders"),
        "group",
        DeliverySemantics.AT_LEAST_ONCE,
        ordering,
        permits,
        40,
        1 << 20,
        Format.AUTO,
        TuningProfile.BALANCED,
        new RetryDefinition(
            2, new BackoffDefinition(Duration.ofMillis(20), 1, Duration.ofMillis(20), 0)),
        null,
        Duration.ofMillis(20),
        drain,
        Duration.ofSeconds(5),
        Map.of());
  }

  private void assign(TopicPartition... partitions) {
    consumer.schedulePollTask(() -> consumer.rebalance(List.of(partitions)));
    await()
        .untilAsserted(
            () -> assertThat(handle().assignment()).containsExactlyInAnyOrder(partitions));
  }

  private void add(TopicPartition partition, long from, int count) {
    consumer.schedulePollTask(() -> addNow(partition, from, count));
  }

  private void addNow(TopicPartition partition, long from, int count) {
    for (long offset = from; offset < from + count; offset++) {
      consumer.addRecord(
          new ConsumerRecord<>(
              partition.topic(),
              partition.partition(),
              offset,
              ("key-" + offset).getBytes(StandardCharsets.UTF_8),
              ("value-" + offset).getBytes(StandardCharsets.UTF_8)));
    }
  }

  private static void hold(CountDownLatch latch) {
    try {
      assertThat(latch.await(10, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
