package dev.millrace.internal.consumer;

import static dev.millrace.internal.consumer.EngineFixture.P0;
import static dev.millrace.internal.consumer.EngineFixture.hold;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.config.CircuitBreakerDefinition;
import dev.millrace.config.IdempotencyDefinition;
import dev.millrace.config.MessageIdKey;
import dev.millrace.config.MissingId;
import dev.millrace.config.RateLimitDefinition;
import dev.millrace.consumer.ConsumerExplanation;
import dev.millrace.consumer.ConsumerExplanation.CircuitState;
import dev.millrace.consumer.ConsumerExplanation.PauseCause;
import dev.millrace.consumer.RecordHandler;
import dev.millrace.consumer.SkipResult;
import dev.millrace.idempotency.InMemoryIdempotencyStore;
import dev.millrace.internal.delivery.Handling;
import dev.millrace.internal.idempotency.Idempotency;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A circuit breaker and a rate limit beside real threads, in whichever way handlers run. */
class OpenCircuitTest {
  private static final Duration LONG = Duration.ofHours(1);
  private static final int CALLS = 3;

  private final EngineFixture engine = new EngineFixture();
  private final ExecutorService pool = Executors.newFixedThreadPool(2);
  private final Queue<Long> begun = new ConcurrentLinkedQueue<>();
  private final Queue<Long> handled = new ConcurrentLinkedQueue<>();
  private volatile boolean down = true;

  private final RecordHandler<String> handler =
      (value, context) -> {
        begun.add(context.offset());
        if (down) {
          throw new IllegalStateException("the warehouse does not answer");
        }
        handled.add(context.offset());
      };

  @AfterEach
  void leavesNothing() {
    engine.close();
    pool.shutdownNow();
  }

  /** Opens at the third failure in a row. */
  private void start(HandlerWay way, Duration openFor) {
    engine.attempts = 1_000;
    engine.circuitBreaker = new CircuitBreakerDefinition(100, CALLS, CALLS, openFor, 2);
    if (way == HandlerWay.BATCH) { // All of it fails with one.
      engine.startBatch(
          records -> {
            for (var record : records) {
              handler.handle(record.value(), record.context());
            }
          });
    } else {
      way.start(engine, handler, pool);
    }
    engine.assign(P0);
  }

  private CircuitState state() {
    return engine.explained().starts().orElseThrow().circuit().orElseThrow().state();
  }

  /** Waits until the circuit is open and no handler runs any more. */
  private void awaitOpen() {
    await().until(() -> state() == CircuitState.OPEN);
    await().until(() -> engine.explained().permits().used() == 0);
  }

  private void awaitCommitted(long offset) {
    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(offset));
  }

  @ParameterizedTest
  @EnumSource
  void whileItIsOpenNothingStartsAndThePollLoopGoesOn(HandlerWay way) {
    start(way, LONG);
    engine.add(P0, 0, 10);
    awaitOpen();
    // Those that were in their handlers when the third failed, and no other.
    assertThat(begun).hasSizeBetween(CALLS, CALLS + engine.permits - 1);
    List<Long> before = List.copyOf(begun);
    await().until(() -> engine.explained().starts().orElseThrow().waiting() == 10);

    engine.add(P0, 10, 10);
    engine.letTurnsPass();
    ConsumerExplanation explanation = engine.explained();
    assertThat(explanation.partitions().get(0).pauses()).containsOnlyKeys(PauseCause.CIRCUIT_OPEN);
    assertThat(explanation.channel().records()).isEqualTo(10);
    assertThat(begun).containsExactlyElementsOf(before);
    assertThat(engine.handle().isHealthy()).isTrue();
    assertThat(engine.gauge("millrace.consumer.circuit")).isEqualTo(2);
    assertThat(engine.gauge("millrace.consumer.waiting.to.start")).isEqualTo(10);
    assertThat(engine.registry.get("millrace.consumer.circuit.openings").counter().count())
        .isEqualTo(1);
  }

  @ParameterizedTest
  @EnumSource
  void itProbesClosesAndAllIsHandledOnce(HandlerWay way) {
    start(way, Duration.ofMillis(300));
    engine.add(P0, 0, 40);
    await()
        .until(
            () -> engine.registry.get("millrace.consumer.circuit.openings").counter().count() >= 2);
    down = false;

    awaitCommitted(40);
    assertThat(handled).hasSize(40).doesNotHaveDuplicates();
    assertThat(state()).isEqualTo(CircuitState.CLOSED);
    assertThat(engine.gauge("millrace.consumer.waiting.to.start")).isZero();
  }

  /** They have permits, and their turn would come while the circuit is open. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whatTheExecutorHasNotBegunIsTakenBackAndHandledLater(boolean idempotent) {
    engine.permits = 6;
    if (idempotent) {
      engine.idempotency =
          new Idempotency(
              InMemoryIdempotencyStore.ofAtMost(10),
              new IdempotencyDefinition(MessageIdKey.RECORD_KEY, "", MissingId.FAIL, LONG, LONG),
              "group",
              null);
    }
    ExecutorService single = Executors.newSingleThreadExecutor();
    try {
      engine.attempts = 1_000;
      engine.circuitBreaker = new CircuitBreakerDefinition(100, 1, 1, Duration.ofSeconds(3), 1);
      engine.start(
          Handling.onExecutor(
              (value, context) -> {
                hold(engine.release);
                handler.handle(value, context);
              },
              single));
      engine.assign(P0);
      engine.add(P0, 0, 6);
      await().until(() -> engine.explained().permits().used() == 6);
      engine.release.countDown();
      awaitOpen();

      await().until(() -> engine.explained().starts().orElseThrow().waiting() == 6);
      assertThat(begun).hasSize(1);
      assertThat(engine.outcome("retried")).isEqualTo(1);
      down = false;
      awaitCommitted(6);
      assertThat(begun).hasSize(7);
      assertThat(handled).hasSize(6).doesNotHaveDuplicates();
    } finally {
      single.shutdownNow();
    }
  }

  @Test
  void aRecordThatWaitsIsSkippedAndAnotherOffsetSoughtAtOnce() throws Exception {
    start(HandlerWay.WORKER, LONG);
    engine.add(P0, 0, 10);
    awaitOpen();
    await().until(() -> engine.explained().starts().orElseThrow().waiting() == 10);

    assertThat(engine.handle().skip(P0, 0).get()).isEqualTo(SkipResult.SKIPPED);
    awaitCommitted(1);
    engine.handle().seek(P0, 5).get();
    engine.handle().pause().get();
    awaitCommitted(5);
    assertThat(engine.explained().channel().records()).isZero();
  }

  @Test
  void aPartitionThatLeavesWaitsForNothing() {
    engine.drain = Duration.ofMinutes(10);
    start(HandlerWay.WORKER, LONG);
    engine.add(P0, 0, 10);
    awaitOpen();

    engine.leave(P0);
    engine.awaitInFlight(0);
  }

  /** One record of each key, so that only the rate holds them. */
  @ParameterizedTest
  @EnumSource
  void theRateHoldsThemBackAndLosesNone(HandlerWay way) {
    down = false;
    engine.rateLimit = new RateLimitDefinition(100, Duration.ofSeconds(1));
    long from = System.nanoTime();
    start(way, LONG);
    for (int i = 0; i < 10; i++) {
      engine.add(P0, 20L * i, 20);
    }

    awaitCommitted(200);
    assertThat(handled).hasSize(200).doesNotHaveDuplicates();
    // Ten of them at once, and each other one in its hundredth of a second.
    assertThat(Duration.ofNanos(System.nanoTime() - from))
        .isGreaterThanOrEqualTo(Duration.ofMillis(1_890));
  }
}
