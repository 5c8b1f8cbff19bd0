package dev.millrace.internal.consumer;

import static dev.millrace.internal.consumer.EngineFixture.P0;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millrace.config.IdempotencyDefinition;
import dev.millrace.config.MessageIdKey;
import dev.millrace.config.MissingId;
import dev.millrace.consumer.ConsumerExplanation.WaitsForMessage;
import dev.millrace.consumer.IdempotencyKey;
import dev.millrace.consumer.RecordHandler;
import dev.millrace.consumer.SkipResult;
import dev.millrace.errors.ConsumerFailedException;
import dev.millrace.errors.MessageTakenException;
import dev.millrace.errors.MissingMessageIdException;
import dev.millrace.idempotency.Begun;
import dev.millrace.idempotency.Claim;
import dev.millrace.idempotency.IdempotencyStore;
import dev.millrace.internal.channel.Waiting;
import dev.millrace.internal.idempotency.Idempotency;
import io.micrometer.core.instrument.search.MeterNotFoundException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A message is handled once, in whichever way its handler runs, and nothing is passed unknown. */
class IdempotentHandlerTest {
  private static final Duration LEASE = Duration.ofMinutes(10);

  private final EngineFixture engine = new EngineFixture();
  private final ExecutorService pool = Executors.newFixedThreadPool(4);
  private final WatchedStore store = new WatchedStore();
  private final Queue<Long> handled = new ConcurrentLinkedQueue<>();

  @AfterEach
  void leavesNothing() {
    engine.release.countDown();
    store.beginFails.set(false);
    store.doneFails.set(false);
    engine.close();
    pool.shutdownNow();
  }

  private void idempotent(MissingId missingId, @Nullable IdempotencyKey hook) {
    engine.idempotency = new Idempotency(store, definition(missingId), "group", hook);
  }

  private static IdempotencyDefinition definition(MissingId missingId) {
    return new IdempotencyDefinition(
        MessageIdKey.HEADER, "message-id", missingId, LEASE, Duration.ofHours(1));
  }

  private void start(HandlerWay way, RecordHandler<String> handler) {
    if (engine.idempotency == null) {
      idempotent(MissingId.FAIL, null);
    }
    way.start(engine, handler, pool);
    engine.assign(P0);
  }

  private void add(long offset, String id) {
    engine.consumer.schedulePollTask(
        () ->
            engine.addNow(
                P0,
                offset,
                1,
                new RecordHeader("message-id", id.getBytes(StandardCharsets.UTF_8))));
  }

  private void awaitCommitted(long offset) {
    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(offset));
  }

  @Test
  void oneThatWaitsForItsMessageCanBeSkipped() {
    assertThat(askedByAnother("m")).isInstanceOf(Begun.Granted.class);
    start(HandlerWay.WORKER, (value, context) -> handled.add(context.offset()));
    add(0, "m");
    assertThat(awaitWaiting().why()).isEqualTo(Waiting.ForMessage.ANOTHER);

    assertThat(engine.handle().skip(P0, 0).join())
        .isIn(SkipResult.SKIPPED, SkipResult.WHEN_IT_FAILS);

    awaitCommitted(1);
    assertThat(handled).isEmpty();
    assertThat(engine.outcome("skipped")).isOne();
  }

  @Test
  void aSkipMeetsOneWhoseMessageIsJustBeingAskedFor() {
    CountDownLatch asking = new CountDownLatch(1);
    IdempotencyStore slow =
        new IdempotencyStore() {
          @Override
          public Begun begin(Claim claim) {
            asking.countDown();
            EngineFixture.hold(engine.release);
            return new Begun.Held(LEASE);
          }

          @Override
          public boolean done(Claim claim) {
            return true;
          }

          @Override
          public void release(Claim claim) {}
        };
    engine.idempotency = new Idempotency(slow, definition(MissingId.FAIL), "group", null);
    start(HandlerWay.WORKER, (value, context) -> handled.add(context.offset()));
    add(0, "m");
    EngineFixture.hold(asking);

    assertThat(engine.handle().skip(P0, 0).join()).isEqualTo(SkipResult.WHEN_IT_FAILS);
    engine.release.countDown();

    awaitCommitted(1);
    assertThat(handled).isEmpty();
    assertThat(engine.outcome("skipped")).isOne();
  }

  private Begun askedByAnother(String id) {
    return store.store.begin(new Claim("group", id, "another", LEASE, LEASE));
  }

  private WaitsForMessage awaitWaiting() {
    return await()
        .until(
            () ->
                engine.explained().partitions().stream()
                    .flatMap(partition -> partition.oldest().stream())
                    .map(oldest -> oldest.activity())
                    .filter(WaitsForMessage.class::isInstance)
                    .map(WaitsForMessage.class::cast)
                    .findFirst(),
            found -> found.isPresent())
        .get();
  }

  @ParameterizedTest
  @EnumSource
  void aMessageThatComesAgainEndsWithoutItsHandler(HandlerWay way) {
    start(way, (value, context) -> handled.add(context.offset()));
    for (int offset = 0; offset < 6; offset++) {
      add(offset, "m-" + offset % 3);
    }

    awaitCommitted(6);
    assertThat(handled).hasSize(3);
    assertThat(engine.outcome("handled")).isEqualTo(3);
    assertThat(engine.outcome("duplicate")).isEqualTo(3);
    assertThat(store.threads).allMatch(name -> name.contains("-worker-"));
  }

  @ParameterizedTest
  @EnumSource
  void aMessageAtWorkIsWaitedFor(HandlerWay way) {
    start(
        way,
        (value, context) -> {
          handled.add(context.offset());
          EngineFixture.hold(engine.release);
        });
    add(0, "twin");
    await().until(() -> handled.size() == 1);
    add(1, "twin");
    await()
        .untilAsserted(
            () -> assertThat(engine.explained().partitions().get(0).counts().parked()).isOne());
    engine.letTurnsPass();
    assertThat(handled).containsExactly(0L);
    assertThat(engine.outcome("duplicate")).isZero();
    assertThat(engine.lastMetadata(P0)).isNullOrEmpty(); // Neither has ended.

    engine.release.countDown();

    awaitCommitted(2);
    assertThat(handled).containsExactly(0L);
    assertThat(engine.outcome("duplicate")).isOne();
  }

  @ParameterizedTest
  @EnumSource
  void aMessageWhoseHandlerFailedIsHandledByWhoWaitsForIt(HandlerWay way) {
    AtomicInteger calls = new AtomicInteger();
    start(
        way,
        (value, context) -> {
          if (calls.incrementAndGet() == 1) {
            throw new IllegalStateException("the first one fails");
          }
          handled.add(context.offset());
        });
    add(0, "twin");
    add(1, "twin");

    awaitCommitted(2);
    assertThat(calls).hasValue(2);
    assertThat(handled).hasSize(1);
    assertThat(engine.outcome("duplicate")).isOne();
    assertThat(engine.outcome("retried")).isOne();
  }

  @ParameterizedTest
  @EnumSource
  void nothingIsHandledNorPassedWhileTheStoreIsDown(HandlerWay way) {
    store.beginFails.set(true);
    start(way, (value, context) -> handled.add(context.offset()));
    add(0, "m");

    await().until(() -> store.failures.get() >= 2);
    assertThat(awaitWaiting().why()).contains("store does not answer");
    await()
        .untilAsserted(
            () ->
                assertThat(engine.explained().partitions().get(0).verdict())
                    .contains("since the idempotency store does not answer"));
    assertThat(handled).isEmpty();
    assertThat(engine.consumer.commits).noneMatch(commit -> commit.containsKey(P0));
    assertThat(failuresCounted()).isGreaterThanOrEqualTo(2);

    store.beginFails.set(false);

    awaitCommitted(1);
    assertThat(handled).containsExactly(0L);
  }

  @ParameterizedTest
  @EnumSource
  void aHandlerIsNotCalledAgainWhileTheStoreCantBeTold(HandlerWay way) {
    store.doneFails.set(true);
    start(way, (value, context) -> handled.add(context.offset()));
    add(0, "m");

    await().until(() -> store.failures.get() >= 2);
    assertThat(awaitWaiting().why()).contains("can't be told");
    assertThat(engine.consumer.commits).noneMatch(commit -> commit.containsKey(P0));

    store.doneFails.set(false);

    awaitCommitted(1);
    assertThat(handled).containsExactly(0L);
    assertThat(engine.outcome("handled")).isOne();
    assertThat(askedByAnother("m")).isEqualTo(new Begun.Done());
  }

  /** What has been handled is known, also where the partition leaves before the handler's end. */
  @ParameterizedTest
  @EnumSource
  void theStoreIsToldOfAHandlerThatEndsWhileItsPartitionLeaves(HandlerWay way) {
    engine.drain = Duration.ofSeconds(60);
    CountDownLatch inHandler = new CountDownLatch(1);
    start(
        way,
        (value, context) -> {
          inHandler.countDown();
          EngineFixture.hold(engine.release);
        });
    add(0, "m");
    EngineFixture.hold(inHandler);
    engine.consumer.schedulePollTask(() -> engine.consumer.rebalance(List.of()));
    await().until(engine::isDraining);

    engine.release.countDown();

    await().until(() -> engine.handle().assignment().isEmpty());
    assertThat(engine.consumer.lastCommit(P0)).isEqualTo(1);
    assertThat(askedByAnother("m")).isEqualTo(new Begun.Done());
  }

  /** As long as the store is down, so that the close does not wait for it. */
  @ParameterizedTest
  @EnumSource
  void whatTheStoreCantBeToldOfHoldsNoCloseUp(HandlerWay way) {
    store.doneFails.set(true);
    start(way, (value, context) -> handled.add(context.offset()));
    add(0, "m");
    await().until(() -> store.failures.get() >= 1);

    engine.handle().close(Duration.ofSeconds(1));

    assertThat(engine.consumer.commits).noneMatch(commit -> commit.containsKey(P0));
    assertThat(askedByAnother("m")).isInstanceOf(Begun.Held.class);
  }

  @ParameterizedTest
  @EnumSource
  void aMessageThatAnotherTookIsPutBackAndCostsNoAttempt(HandlerWay way) {
    engine.attempts = 1;
    start(
        way,
        (value, context) -> {
          handled.add(context.offset());
          Claim mine = context.claim().orElseThrow();
          store.store.release(mine);
          Claim its = new Claim("group", "m", "another", LEASE, LEASE);
          assertThat(store.store.begin(its)).isEqualTo(new Begun.Granted());
          assertThat(store.store.done(its)).isTrue();
          throw new MessageTakenException("taken", null);
        });
    add(0, "m");

    awaitCommitted(1);
    assertThat(handled).containsExactly(0L);
    assertThat(engine.outcome("duplicate")).isOne();
    assertThat(engine.outcome("stopped")).isZero();
  }

  /** As it is where the handler's store is not the consumer's. */
  @ParameterizedTest
  @EnumSource
  void aMessageThatIsGrantedAndTakenAllTheTimeFailsWithWords(HandlerWay way) {
    engine.attempts = 1;
    start(
        way,
        (value, context) -> {
          handled.add(context.offset());
          throw new MessageTakenException("By the other table, it is taken.", null);
        });
    add(0, "m");

    assertThatThrownBy(() -> engine.handle().awaitClosed(Duration.ofSeconds(60)))
        .isInstanceOf(ConsumerFailedException.class)
        .cause()
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining(store.toString())
        .hasMessageContaining("By the other table, it is taken.");
    assertThat(handled).containsExactly(0L, 0L);
  }

  @ParameterizedTest
  @EnumSource
  void aMessageThatMayHaveBeenHandledTwiceIsCounted(HandlerWay way) {
    start(
        way,
        (value, context) -> {
          store.store.release(context.claim().orElseThrow());
          assertThat(askedByAnother("m")).isEqualTo(new Begun.Granted());
        });
    add(0, "m");

    awaitCommitted(1);
    assertThat(engine.registry.get("millrace.consumer.idempotency.taken").counter().count())
        .isOne();
  }

  @ParameterizedTest
  @EnumSource
  void aRecordWithoutAnIdIsNotHandled(HandlerWay way) {
    start(way, (value, context) -> handled.add(context.offset()));
    engine.add(P0, 0, 1);

    assertThatThrownBy(() -> engine.handle().awaitClosed(Duration.ofSeconds(60)))
        .isInstanceOf(ConsumerFailedException.class)
        .cause()
        .isInstanceOf(MissingMessageIdException.class)
        .hasMessageContaining("orders-0@0");
    assertThat(handled).isEmpty();
  }

  @Test
  void aRecordWithoutAnIdIsHandledWhereThatIsWanted() {
    idempotent(MissingId.HANDLE, null);
    start(HandlerWay.WORKER, (value, context) -> handled.add(context.offset()));
    engine.add(P0, 0, 2);

    awaitCommitted(2);
    assertThat(handled).containsExactlyInAnyOrder(0L, 1L);
    assertThat(store.threads).isEmpty();
  }

  @Test
  void aHookSaysTheId() {
    idempotent(MissingId.FAIL, record -> "id-" + record.offset() % 2);
    start(HandlerWay.WORKER, (value, context) -> handled.add(context.offset()));
    engine.add(P0, 0, 6);

    awaitCommitted(6);
    assertThat(handled).hasSize(2);
    assertThat(engine.outcome("duplicate")).isEqualTo(4);
  }

  @Test
  void whatAHookThrowsIsTheHandlersFailure() {
    AtomicInteger asked = new AtomicInteger();
    idempotent(
        MissingId.FAIL,
        record -> {
          if (asked.incrementAndGet() == 1) {
            throw new IllegalStateException("not yet");
          }
          return "m";
        });
    start(HandlerWay.WORKER, (value, context) -> handled.add(context.offset()));
    engine.add(P0, 0, 1);

    awaitCommitted(1);
    assertThat(handled).containsExactly(0L);
    assertThat(engine.outcome("retried")).isOne();
  }

  @Test
  void aDeadLettersMessageCanComeBack() {
    engine.deadLetterSender =
        record ->
            CompletableFuture.completedFuture(
                new RecordMetadata(new TopicPartition(record.topic(), 0), 0, 0, 0, 0, 0));
    engine.attempts = 1;
    start(
        HandlerWay.WORKER,
        (value, context) -> {
          throw new IllegalStateException("for ever");
        });
    add(0, "m");

    awaitCommitted(1);
    // It is counted once its offset may go on, so perhaps after the commit.
    await()
        .ignoreException(MeterNotFoundException.class)
        .untilAsserted(() -> assertThat(engine.outcome("dead-lettered")).isOne());
    assertThat(askedByAnother("m")).isEqualTo(new Begun.Granted());
  }

  /** It runs while the store is asked; when that fails, it must not wait for the store. */
  @ParameterizedTest
  @EnumSource
  void aRecordThatIsToBeSkippedDoesNotWaitForItsMessage(HandlerWay way) {
    CountDownLatch asked = new CountDownLatch(1);
    store.beginFails.set(true);
    store.whileAsked =
        () -> {
          asked.countDown();
          EngineFixture.hold(engine.release);
        };
    start(way, (value, context) -> handled.add(context.offset()));
    add(0, "m");
    EngineFixture.hold(asked);

    assertThat(engine.handle().skip(P0, 0).join()).isEqualTo(SkipResult.WHEN_IT_FAILS);
    engine.release.countDown();

    awaitCommitted(1);
    assertThat(handled).isEmpty();
    assertThat(engine.outcome("skipped")).isOne();
  }

  @ParameterizedTest
  @EnumSource
  void aRecordThatWaitsForItsMessageCanBeSkipped(HandlerWay way) {
    store.beginFails.set(true);
    start(way, (value, context) -> handled.add(context.offset()));
    add(0, "m");
    awaitWaiting();

    await().until(() -> engine.handle().skip(P0, 0).join() == SkipResult.SKIPPED);

    awaitCommitted(1);
    assertThat(handled).isEmpty();
    assertThat(engine.outcome("skipped")).isOne();
  }

  private double failuresCounted() {
    return engine.registry.get("millrace.consumer.idempotency.failures").counter().count();
  }
}
