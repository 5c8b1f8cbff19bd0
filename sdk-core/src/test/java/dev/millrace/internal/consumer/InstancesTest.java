package dev.millrace.internal.consumer;

import static dev.millrace.internal.consumer.EngineFixture.P0;
import static dev.millrace.internal.consumer.EngineFixture.P1;
import static dev.millrace.internal.consumer.EngineFixture.P2;
import static dev.millrace.internal.consumer.EngineFixture.SOON;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.config.Ordering;
import dev.millrace.consumer.ConsumerExplanation;
import dev.millrace.consumer.ConsumerState;
import dev.millrace.consumer.RecordContext;
import dev.millrace.consumer.RecordHandler;
import dev.millrace.errors.ConsumerFailedException;
import dev.millrace.internal.delivery.Handling;
import dev.millrace.internal.metrics.ConsumerMeters;
import dev.millrace.internal.runtime.ThreadedRuntime;
import dev.millrace.internal.time.EngineClock;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Two engines behind one handle, each on a fake consumer; the test says who owns what. */
class InstancesTest {
  private static final Duration CLOSE = Duration.ofSeconds(20);

  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final FakeConsumer first = new FakeConsumer("earliest", P0, P1, P2);
  private final FakeConsumer second = new FakeConsumer("earliest", P0, P1, P2);
  private final Queue<String> handled = new ConcurrentLinkedQueue<>();
  private final CountDownLatch release = new CountDownLatch(1);
  private final Map<String, ConsumerEngine> engines = new LinkedHashMap<>();
  private final EngineHandle handle = twoInstances(this::handle);
  private volatile RecordHandler<String> work = (value, context) -> {};

  private EngineHandle twoInstances(RecordHandler<String> handler) {
    ConsumerDefinition each =
        TestDefinitions.consumer(
            Ordering.KEY, 2, 20, 1, false, Duration.ofMillis(20), Duration.ofSeconds(5));
    Handling<String> handling = Handling.inWorker(handler);
    StopRequest stop = new StopRequest(EngineClock.SYSTEM);
    for (FakeConsumer client : List.of(first, second)) {
      int number = engines.size() + 1;
      String name = each.name() + "-" + number;
      engines.put(
          name,
          new ConsumerEngine(
              each.as(name, each.onMissingOffset()),
              EngineFixture.MAX_POLL,
              client,
              new StringDeserializer(),
              handling,
              null,
              new ConsumerMeters(registry, each.name(), each.groupId(), number),
              stop,
              ThreadedRuntime.of(each, handling),
              ServiceHooks.NONE,
              null,
              null,
              null));
    }
    return new EngineHandle("engine-test", CLOSE, engines, stop, ended -> {});
  }

  private void handle(String value, RecordContext context) throws Exception {
    work.handle(value, context);
    handled.add(context.partition() + "@" + context.offset());
  }

  @AfterEach
  void leavesNothing() {
    release.countDown();
    handle.close();
    assertThat(handle.state()).isIn(ConsumerState.CLOSED, ConsumerState.FAILED);
    assertThat(registry.getMeters()).isEmpty();
    await().untilAsserted(() -> assertThat(EngineFixture.engineThreads()).isEmpty());
  }

  @Test
  void bothHandleAndCommitWhatTheyOwn() {
    start(List.of(P0), List.of(P1, P2));
    add(first, P0, 0, 5);
    add(second, P1, 0, 5);

    await().untilAsserted(() -> assertThat(first.lastCommit(P0)).isEqualTo(5));
    await().untilAsserted(() -> assertThat(second.lastCommit(P1)).isEqualTo(5));
    assertThat(handled).hasSize(10);
    assertThat(handle.assignment()).containsExactlyInAnyOrder(P0, P1, P2);
    assertThat(handle.isHealthy()).isTrue();
  }

  @Test
  void aPausedPartitionThatMovesStaysPaused() throws Exception {
    start(List.of(P0), List.of(P1));
    done(handle.pause(List.of(P0)));
    assertThat(handle.paused()).containsExactly(P0);

    assign(first, List.of());
    await().until(() -> !handle.assignment().contains(P0));
    assign(second, List.of(P0, P1));
    await().until(() -> handle.assignment().contains(P0));
    add(second, P0, 0, 5);
    add(second, P1, 0, 5);

    await().untilAsserted(() -> assertThat(second.lastCommit(P1)).isEqualTo(5));
    assertThat(handled).hasSize(5).allMatch(place -> place.startsWith("1@"));
    assertThat(handle.paused()).containsExactly(P0);
    done(handle.resume(List.of(P0)));
    await().untilAsserted(() -> assertThat(handled).hasSize(10));
    assertThat(handle.paused()).isEmpty();
  }

  @Test
  void aPauseOfAllHoldsInBoth() throws Exception {
    start(List.of(P0), List.of(P1));
    done(handle.pause());

    assertThat(handle.paused()).containsExactlyInAnyOrder(P0, P1);
    assertThat(first.paused()).containsExactly(P0);
    assertThat(second.paused()).containsExactly(P1);
    done(handle.resume());
    assertThat(handle.paused()).isEmpty();
  }

  @Test
  void aSeekReachesTheOwners() throws Exception {
    start(List.of(P0), List.of(P1));
    add(first, P0, 0, 5);
    add(second, P1, 0, 5);
    await().untilAsserted(() -> assertThat(handled).hasSize(10));
    await().untilAsserted(() -> assertThat(second.lastCommit(P1)).isEqualTo(5));
    await().untilAsserted(() -> assertThat(first.lastCommit(P0)).isEqualTo(5));

    done(handle.seek(P1, 2));
    await().untilAsserted(() -> assertThat(second.lastCommit(P1)).isEqualTo(2));
    assertThat(first.lastCommit(P0)).isEqualTo(5);

    done(handle.seekToBeginning(List.of(P0, P1)));
    await().untilAsserted(() -> assertThat(first.lastCommit(P0)).isZero());
    await().untilAsserted(() -> assertThat(second.lastCommit(P1)).isZero());
  }

  @Test
  void aSeekInWhatNobodyOwnsIsRefused() {
    start(List.of(P0), List.of(P1));

    assertThatThrownBy(() -> done(handle.seek(P2, 0)))
        .isInstanceOf(ExecutionException.class)
        .hasRootCauseInstanceOf(IllegalStateException.class)
        .hasRootCauseMessage(
            "Consumer 'engine-test-1' can't seek in orders-2, which it does not own now; it owns [orders-0].");
    TopicPartition strange = new TopicPartition("refunds", 0);
    assertThatThrownBy(() -> handle.seekToEnd(List.of(P1, strange)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("does not read [refunds-0]");
  }

  @Test
  void theExplanationTellsOfBoth() {
    CountDownLatch running = new CountDownLatch(2);
    work =
        (value, context) -> {
          running.countDown();
          release.await();
        };
    start(List.of(P2, P0), List.of(P1));
    add(first, P2, 0, 3);
    add(second, P1, 0, 1);
    EngineFixture.hold(running);
    await().until(() -> explained().channel().records() == 4);

    ConsumerExplanation explained = explained();
    assertThat(explained.consumer()).isEqualTo("engine-test");
    assertThat(explained.state()).isEqualTo(ConsumerState.RUNNING);
    assertThat(explained.channel().capacity()).isEqualTo(40);
    assertThat(explained.permits().all()).isEqualTo(4);
    assertThat(explained.permits().used()).isEqualTo(3);
    assertThat(explained.partitions())
        .extracting(ConsumerExplanation.Partition::partition)
        .containsExactly(P0, P1, P2);
    assertThat(explained.instances())
        .extracting(ConsumerExplanation::consumer)
        .containsExactly("engine-test-1", "engine-test-2");
    assertThat(explained.instances().get(1).partitions())
        .extracting(ConsumerExplanation.Partition::partition)
        .containsExactly(P1);
  }

  @Test
  void anInstanceThatFailsToExplainItselfLeavesWhatOthersTell() {
    start(List.of(P0), List.of(P1));
    List<EngineInstance> instances =
        engines.entrySet().stream()
            .map(one -> new EngineInstance(one.getKey(), one.getValue(), Thread.currentThread()))
            .toList();
    InstanceControls controls = new InstanceControls("engine-test", instances);

    await()
        .untilAsserted(
            () -> {
              ConsumerExplanation explained = controls.explain(throwsFirst());
              assertThat(explained.silence()).isPresent();
              assertThat(explained.partitions()).hasSize(1);
            });
  }

  /** Whichever poll thread asks first can't explain itself. */
  private static Supplier<ConsumerState> throwsFirst() {
    AtomicInteger asked = new AtomicInteger();
    return () -> {
      if (asked.getAndIncrement() == 0) {
        throw new IllegalStateException("as the test wants it");
      }
      return ConsumerState.RUNNING;
    };
  }

  @Test
  void aFailureOfOneEndsBothWithItsCause() {
    start(List.of(P0), List.of(P1));
    second.setPollException(new KafkaException("not authorized"));

    assertThatThrownBy(() -> handle.awaitClosed(SOON))
        .isInstanceOf(ConsumerFailedException.class)
        .hasRootCauseMessage("not authorized");
    assertThat(handle.state()).isEqualTo(ConsumerState.FAILED);
    assertThat(first.closed()).isTrue();
    assertThat(second.closed()).isTrue();
  }

  /** A close of one after the other would have the first wait for a handler until its time-out. */
  @Test
  void theyCloseAtTheSameTime() {
    CountDownLatch running = new CountDownLatch(2);
    work =
        (value, context) -> {
          running.countDown();
          release.await();
        };
    start(List.of(P0), List.of(P1));
    add(first, P0, 0, 1);
    add(second, P1, 0, 1);
    EngineFixture.hold(running);

    CompletableFuture<@Nullable Void> closed = CompletableFuture.runAsync(handle::close);
    await().until(() -> draining().size() == 2);
    assertThat(handle.state()).isEqualTo(ConsumerState.STOPPING);
    release.countDown();
    closed.join();

    assertThat(handle.state()).isEqualTo(ConsumerState.CLOSED);
    assertThat(first.lastCommit(P0)).isEqualTo(1);
    assertThat(second.lastCommit(P1)).isEqualTo(1);
  }

  @Test
  void aHandlerMayCloseThemAll() throws Exception {
    work = (value, context) -> handle.close();
    start(List.of(P0), List.of(P1));
    add(second, P1, 0, 1);

    assertThat(handle.awaitClosed(SOON)).isTrue();
    assertThat(second.lastCommit(P1)).isEqualTo(1);
    assertThat(first.closed()).isTrue();
  }

  private void start(List<TopicPartition> ofFirst, List<TopicPartition> ofSecond) {
    handle.start();
    assign(first, ofFirst);
    assign(second, ofSecond);
    List<TopicPartition> all = new ArrayList<>(ofFirst);
    all.addAll(ofSecond);
    await()
        .untilAsserted(
            () -> assertThat(handle.assignment()).containsExactlyInAnyOrderElementsOf(all));
  }

  private static void assign(FakeConsumer client, List<TopicPartition> partitions) {
    client.schedulePollTask(() -> client.rebalance(partitions));
  }

  private static void add(FakeConsumer client, TopicPartition partition, long from, int count) {
    client.schedulePollTask(
        () -> {
          client.updateEndOffsets(Map.of(partition, from + count));
          for (long offset = from; offset < from + count; offset++) {
            byte[] bytes = {(byte) offset};
            client.addRecord(
                new ConsumerRecord<>(
                    partition.topic(), partition.partition(), offset, bytes, bytes));
          }
        });
  }

  /** Asks again when a poll thread was too busy to answer. */
  private ConsumerExplanation explained() {
    return await().until(handle::explain, answer -> answer.silence().isEmpty());
  }

  private static List<String> draining() {
    return Thread.getAllStackTraces().entrySet().stream()
        .filter(thread -> List.of(thread.getValue()).toString().contains("Drain.untilIdle"))
        .map(thread -> thread.getKey().getName())
        .filter(name -> name.startsWith("millrace-engine-test-"))
        .toList();
  }

  private static void done(CompletableFuture<?> asked) throws Exception {
    asked.get(SOON.toSeconds(), TimeUnit.SECONDS);
  }
}
