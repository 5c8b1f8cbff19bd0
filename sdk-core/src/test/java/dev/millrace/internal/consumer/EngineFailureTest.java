package dev.millrace.internal.consumer;

import static dev.millrace.internal.consumer.EngineFixture.P0;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millrace.config.Ordering;
import dev.millrace.consumer.RecordContext;
import dev.millrace.errors.ConsumerFailedException;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What goes wrong around a record, and what the engine makes of it. */
class EngineFailureTest {
  private final EngineFixture engine = new EngineFixture();
  private final Queue<Long> handled = new ConcurrentLinkedQueue<>();

  @AfterEach
  void leavesNothing() {
    engine.close();
  }

  @Test
  void aDeadLetterThatFailsIsSentAgainAndHoldsTheOffsetUntilItIsAcknowledged() {
    AtomicInteger sends = new AtomicInteger();
    CompletableFuture<RecordMetadata> last = new CompletableFuture<>();
    engine.attempts = 1;
    engine.deadLetterSender =
        message ->
            sends.incrementAndGet() < 3
                ? CompletableFuture.failedFuture(new TimeoutException("no leader"))
                : last;
    engine.start(EngineFailureTest::failAtZero);
    engine.assign(P0);
    engine.add(P0, 0, 3);

    await().until(() -> sends.get() == 3);
    assertThat(engine.consumer.lastCommit(P0)).isLessThan(1);
    last.complete(new RecordMetadata(new TopicPartition("dlq", 0), 0, 0, 0, 0, 0));

    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(3));
    assertThat(sends).hasValue(3);
    // A record is done, and may be committed, a moment before it is counted.
    await()
        .untilAsserted(
            () ->
                assertThat(
                        engine
                            .registry
                            .get("millrace.consumer.records")
                            .tag("outcome", "dead-lettered")
                            .counter()
                            .count())
                    .isEqualTo(1));
  }

  @Test
  void aDeadLetterThatIsTooLargeStopsTheConsumerInsteadOfTryingForEver() {
    engine.attempts = 1;
    engine.deadLetterSender =
        message -> CompletableFuture.failedFuture(new RecordTooLargeException("2 MB"));
    engine.start(EngineFailureTest::failAtZero);
    engine.assign(P0);
    engine.add(P0, 0, 1);

    assertThatThrownBy(() -> engine.handle().awaitClosed(Duration.ofSeconds(20)))
        .isInstanceOf(ConsumerFailedException.class)
        .hasMessageContaining("orders-0@0, which can be neither handled nor written")
        .hasRootCauseInstanceOf(RecordTooLargeException.class);
    assertThat(engine.consumer.lastCommit(P0)).isLessThan(1);
  }

  @Test
  void anExceptionWhoseMessageThrowsIsAFailureLikeAnyOther() {
    engine.start(
        (value, context) -> {
          if (context.attempt() == 1) {
            throw new HostileException();
          }
          handled.add(context.offset());
        });
    engine.assign(P0);
    engine.add(P0, 0, 1);

    await().until(() -> handled.contains(0L));
  }

  @Test
  void afterOffsetsStartAnewCommitsFollow() {
    engine.start((value, context) -> handled.add(context.offset()));
    engine.assign(P0);
    engine.add(P0, 0, 10);
    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(10));

    // What a reset does when the topic has been made anew.
    engine.consumer.schedulePollTask(
        () -> {
          engine.consumer.seek(P0, 0);
          engine.addNow(P0, 0, 5);
        });

    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(5));
  }

  /** An unclean election cuts the log's end off; the client goes on at the first offset it has. */
  @Test
  void whatALogStillHasBelowItsCutIsReadAgain() {
    engine.ordering = Ordering.PARTITION;
    engine.start(
        (value, context) -> {
          if (context.offset() == 0) {
            engine.release.await();
          }
          handled.add(context.offset());
        });
    engine.assign(P0);
    engine.add(P0, 0, 10);
    await().until(() -> engine.gauge("millrace.consumer.in.flight") == 10);

    engine.consumer.schedulePollTask(
        () -> {
          engine.consumer.seek(P0, 8);
          engine.addNow(P0, 8, 2);
        });
    await().until(() -> engine.consumer.position(P0) == 0);
    engine.add(P0, 0, 10);
    engine.release.countDown();

    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(10));
    assertThat(handled).contains(1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L);
  }

  @Test
  void bytesInFlightAreCountedAndComeBack() {
    engine.start((value, context) -> engine.release.await());
    engine.assign(P0);
    engine.add(P0, 0, 2);
    int bytes = EngineFixture.bytesOf(0) + EngineFixture.bytesOf(1);
    await().until(() -> engine.gauge("millrace.consumer.in.flight.bytes") == bytes);

    engine.release.countDown();

    await().until(() -> engine.gauge("millrace.consumer.in.flight.bytes") == 0);
  }

  @Test
  void headersAreCountedTooAndHoldIntakeBack() {
    engine.channelBytes = 10_000;
    engine.start((value, context) -> engine.release.await());
    engine.assign(P0);
    engine.consumer.schedulePollTask(
        () -> {
          engine.addNow(P0, 0, 1, new RecordHeader("trace", new byte[9_995]));
          engine.addNow(P0, 1, 1, new RecordHeader("none", null));
        });
    int bytes = EngineFixture.bytesOf(0) + 10_000 + EngineFixture.bytesOf(1) + "none".length();
    await().until(() -> engine.gauge("millrace.consumer.in.flight.bytes") == bytes);
    await().until(() -> engine.consumer.paused().contains(P0));

    engine.release.countDown();

    await().until(() -> engine.gauge("millrace.consumer.in.flight.bytes") == 0);
    await().until(() -> engine.consumer.paused().isEmpty());
  }

  @Test
  void afterEnoughRecordsACommitIsMadeBeforeTheInterval() {
    engine.commitInterval = Duration.ofHours(1);
    engine.commitRecords = 30;
    engine.start((value, context) -> handled.add(context.offset()));
    engine.assign(P0);
    engine.add(P0, 0, 29);
    await().until(() -> handled.size() == 29);
    engine.letTurnsPass();
    assertThat(engine.consumer.lastCommit(P0)).isEqualTo(-1);

    engine.add(P0, 29, 1);

    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(30));
  }

  /** Another service runs under the same group.instance.id; two must not handle one partition. */
  @Test
  void aFencedMemberEndsWithItsCause() {
    engine.start((value, context) -> handled.add(context.offset()));
    engine.consumer.commitFailure = new FencedInstanceIdException("another has this id");
    engine.assign(P0);
    engine.add(P0, 0, 1);

    assertThatThrownBy(() -> engine.handle().awaitClosed(Duration.ofSeconds(20)))
        .isInstanceOf(ConsumerFailedException.class)
        .hasCauseInstanceOf(FencedInstanceIdException.class);
  }

  @Test
  void noOtherRefusedCommitEndsTheConsumer() {
    engine.start((value, context) -> handled.add(context.offset()));
    engine.consumer.commitFailure = new RebalanceInProgressException();
    engine.assign(P0);
    engine.add(P0, 0, 5);
    await()
        .until(
            () -> engine.registry.get("millrace.consumer.commit.failures").counter().count() > 2);

    engine.consumer.commitFailure = null;

    await().untilAsserted(() -> assertThat(explainedCommit()).hasValue(5));
  }

  private OptionalLong explainedCommit() {
    return engine.handle().explain().partitions().get(0).commits().offset();
  }

  @Test
  void whileTheDeadLetterTopicIsAwayOneRecordTriesAndHealthyKeysGoOn() {
    AtomicInteger sends = new AtomicInteger();
    AtomicInteger sending = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    engine.attempts = 1;
    engine.deadLetterSender =
        message -> {
          most.accumulateAndGet(sending.incrementAndGet(), Math::max);
          sends.incrementAndGet();
          sending.decrementAndGet();
          return CompletableFuture.failedFuture(new TimeoutException("no topic"));
        };
    engine.start(
        (value, context) -> {
          if (context.offset() < 12) {
            throw new IllegalArgumentException("poison");
          }
          handled.add(context.offset());
        });
    engine.assign(P0);
    engine.add(P0, 0, 12);
    await().until(() -> sends.get() >= 5);
    // Back-off grows 0.25, 0.5, 1 … s and is shared: one try each time, not one per record.
    int before = sends.get();
    engine.add(P0, 12, 1);

    await().until(() -> handled.contains(12L));
    assertThat(sends.get() - before).isLessThan(12);
    assertThat(engine.consumer.lastCommit(P0)).isLessThan(1);
  }

  @Test
  void aPartitionDoesNotRunAheadOfItsUnfinishedRecordWithoutBound() {
    engine.start(
        (value, context) -> {
          if (context.offset() == 0) {
            engine.release.await();
          }
          handled.add(context.offset());
        });
    engine.assign(P0);
    engine.add(P0, 0, 30_000);

    await().until(() -> engine.consumer.paused().contains(P0) && handled.size() > 20_000 - 100);
    assertThat(handled).hasSizeBetween(20_000 - 100, 20_000 + 100);
    engine.release.countDown();

    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(30_000));
  }

  @Test
  void aFailureWhileTheMetersAreTakenAwayDoesNotHideTheEnd() throws Exception {
    engine.onEnd =
        ended -> {
          throw new IllegalStateException("the registry is closed");
        };
    engine.start((value, context) -> {});

    engine.handle().close(Duration.ofSeconds(5));

    assertThat(engine.handle().awaitClosed(Duration.ofSeconds(20))).isTrue();
  }

  private static void failAtZero(String value, RecordContext context) {
    if (context.offset() == 0) {
      throw new IllegalArgumentException("poison");
    }
  }

  private static final class HostileException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    @Override
    public String getMessage() {
      throw new IllegalStateException("hostile");
    }
  }
}
