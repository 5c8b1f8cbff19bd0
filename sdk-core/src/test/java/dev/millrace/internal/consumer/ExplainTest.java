package dev.millrace.internal.consumer;

import static dev.millrace.internal.consumer.EngineFixture.P0;
import static dev.millrace.internal.consumer.EngineFixture.P1;
import static dev.millrace.internal.consumer.EngineFixture.P2;
import static dev.millrace.internal.consumer.PauseTest.done;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.config.Ordering;
import dev.millrace.consumer.ConsumerExplanation;
import dev.millrace.consumer.ConsumerExplanation.Counts;
import dev.millrace.consumer.ConsumerExplanation.Partition;
import dev.millrace.consumer.ConsumerExplanation.PauseCause;
import dev.millrace.consumer.ConsumerExplanation.Queued;
import dev.millrace.consumer.ConsumerExplanation.Running;
import dev.millrace.consumer.ConsumerExplanation.Unfinished;
import dev.millrace.consumer.ConsumerExplanation.WaitsForDeadLetter;
import dev.millrace.consumer.ConsumerExplanation.WaitsForRetry;
import dev.millrace.consumer.ConsumerState;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What {@code explain()} says in each state that a record, a partition or the engine can be in. */
class ExplainTest {
  private final EngineFixture engine = new EngineFixture();
  private final CountDownLatch running = new CountDownLatch(1);

  @AfterEach
  void leavesNothing() {
    engine.close();
  }

  @Test
  void aHandlerThatHangsIsNamedWithItsThreadAndItsPlace() {
    engine.permits = 2;
    engine.start(
        (value, context) -> {
          if (context.offset() == 1) {
            reserve();
          }
        });
    engine.assign(P0);
    engine.add(P0, 0, 10);
    EngineFixture.hold(running);
    await().untilAsserted(() -> assertThat(engine.lastMetadata(P0)).isNotEmpty());
    await().untilAsserted(() -> assertThat(explained().counts().doneBeyond()).isEqualTo(8));
    // A record is done a moment before it leaves the channel, and before its worker rests.
    await().untilAsserted(() -> assertThat(engine.explained().channel().records()).isEqualTo(1));
    await().untilAsserted(() -> assertThat(engine.explained().permits().used()).isEqualTo(1));

    ConsumerExplanation explanation = engine.explained();
    Partition partition = explanation.partitions().get(0);

    assertThat(explanation.state()).isEqualTo(ConsumerState.RUNNING);
    assertThat(explanation.channel())
        .isEqualTo(new ConsumerExplanation.Channel(1, 40, 0, EngineFixture.bytesOf(1), 1 << 20));
    assertThat(explanation.permits()).isEqualTo(new ConsumerExplanation.Permits(1, 2));
    assertThat(partition.partition()).isEqualTo(P0);
    assertThat(partition.position()).hasValue(10);
    assertThat(partition.frontier()).hasValue(1);
    assertThat(partition.lag()).hasValue(9);
    assertThat(partition.commits().offset()).hasValue(1);
    assertThat(partition.commits().at()).isPresent();
    assertThat(partition.counts()).isEqualTo(new Counts(0, 1, 0, 8, 0));
    Unfinished oldest = partition.oldest().orElseThrow();
    assertThat(oldest.offset()).isEqualTo(1);
    assertThat(oldest.key()).hasValue("\"key-1\"");
    assertThat(oldest.attempt()).isEqualTo(1);
    assertThat(oldest.activity())
        .isInstanceOfSatisfying(
            Running.class,
            now -> {
              assertThat(now.thread()).startsWith("millrace-engine-test-worker-");
              assertThat(now.in()).startsWith("ExplainTest.reserve(ExplainTest.java:");
              assertThat(now.stack()).hasSizeLessThanOrEqualTo(15);
              assertThat(now.stack().get(now.stack().size() - 1).getClassName())
                  .startsWith(ExplainTest.class.getName());
              assertThat(now.lasting()).isLessThanOrEqualTo(oldest.sincePolled());
            });
    assertThat(partition.verdict())
        .matches("waits for orders-0@1, running for .* in ExplainTest\\.reserve\\(.*\\)");
    assertThat(explanation.toString()).contains("\"key-1\"").doesNotContain("value-1");
  }

  @Test
  void recordsBehindAHangingOneAreQueued() {
    engine.ordering = Ordering.PARTITION;
    engine.start((value, context) -> reserve());
    engine.assign(P0);
    engine.add(P0, 0, 5);
    EngineFixture.hold(running);

    await().untilAsserted(() -> assertThat(explained().counts()).isEqualTo(counts(4, 1, 0)));
  }

  @Test
  void aRecordWithoutAWorkerIsQueued() {
    engine.permits = 1;
    engine.start((value, context) -> reserve());
    engine.assign(P0, P1);
    engine.add(P0, 0, 1);
    EngineFixture.hold(running);
    engine.add(P1, 0, 1);
    await().untilAsserted(() -> assertThat(explained(1).oldest()).isPresent());

    assertThat(explained(1).oldest().orElseThrow().activity()).isEqualTo(new Queued());
    assertThat(explained(1).verdict()).startsWith("waits for orders-1@0, queued for ");
  }

  @Test
  void aRecordBetweenTwoAttemptsWaitsForItsRetry() {
    engine.backoff = Duration.ofHours(1);
    engine.start(
        (value, context) -> {
          throw new IllegalArgumentException("no such customer");
        });
    engine.assign(P0);
    engine.add(P0, 0, 1);

    await().untilAsserted(() -> assertThat(explained().counts()).isEqualTo(counts(0, 0, 1)));
    Unfinished oldest = explained().oldest().orElseThrow();
    assertThat(oldest.attempt()).isEqualTo(2);
    assertThat(oldest.activity())
        .isInstanceOfSatisfying(
            WaitsForRetry.class,
            waiting -> {
              assertThat(waiting.due()).isPositive().isLessThan(Duration.ofHours(1));
              assertThat(waiting.failure()).isEqualTo("java.lang.IllegalArgumentException");
            });
    assertThat(explained().verdict())
        .matches(
            "waits for orders-0@0, whose attempt 2 follows in .* after"
                + " java\\.lang\\.IllegalArgumentException");
  }

  @Test
  void aSecondAttemptThatRunsNoLongerWaits() {
    engine.backoff = Duration.ofMillis(1);
    engine.start(
        (value, context) -> {
          if (context.attempt() == 1) {
            throw new IllegalArgumentException("no such customer");
          }
          reserve();
        });
    engine.assign(P0);
    engine.add(P0, 0, 1);
    EngineFixture.hold(running);

    assertThat(explained().oldest().orElseThrow().activity()).isInstanceOf(Running.class);
    assertThat(explained().counts()).isEqualTo(counts(0, 1, 0));
  }

  @Test
  void aDeadLetterOnItsWayIsWaitedForWithoutAPermit() {
    engine.attempts = 1;
    engine.drain = Duration.ZERO;
    engine.deadLetterSender = message -> new CompletableFuture<>();
    engine.start(
        (value, context) -> {
          throw new IllegalArgumentException("no such customer");
        });
    engine.assign(P0);
    engine.add(P0, 0, 1);

    await().untilAsserted(() -> assertThat(explained().counts()).isEqualTo(counts(0, 0, 1)));
    assertThat(explained().oldest().orElseThrow().activity())
        .isInstanceOf(WaitsForDeadLetter.class);
    assertThat(explained().verdict())
        .matches("waits for orders-0@0, whose dead letter is not acknowledged for .*");
    await().untilAsserted(() -> assertThat(engine.explained().permits().used()).isZero());
    engine.handle().close(Duration.ofMillis(300));
  }

  @Test
  void anOutageOfTheDeadLetterTopicIsTold() {
    AtomicBoolean back = new AtomicBoolean();
    engine.attempts = 1;
    engine.deadLetterSender =
        message ->
            back.get()
                ? CompletableFuture.completedFuture(null)
                : CompletableFuture.failedFuture(new TimeoutException("no leader"));
    engine.start(
        (value, context) -> {
          throw new IllegalArgumentException("no such customer");
        });
    engine.assign(P0);
    engine.add(P0, 0, 1);

    await()
        .untilAsserted(() -> assertThat(engine.handle().explain().deadLetterOutage()).isPresent());
    assertThat(explained().oldest().orElseThrow().activity())
        .isInstanceOf(WaitsForDeadLetter.class);
    back.set(true);
    await().untilAsserted(() -> assertThat(engine.handle().explain().deadLetterOutage()).isEmpty());
  }

  @Test
  void commitsThatFailAreToldUntilOneIsAcknowledged() {
    engine.consumer.commitFailure = new KafkaException("not the coordinator");
    engine.start((value, context) -> {});
    engine.assign(P0);
    engine.add(P0, 0, 3);

    await()
        .untilAsserted(
            () ->
                assertThat(explained().verdict())
                    .startsWith("commit fails since ")
                    .endsWith(": org.apache.kafka.common.KafkaException: not the coordinator"));
    assertThat(explained().commits().offset()).isEmpty();
    Instant since = explained().commits().failure().orElseThrow().since();
    await()
        .untilAsserted(
            () -> assertThat(explained().commits().failure().orElseThrow().last()).isAfter(since));
    assertThat(explained().commits().failure().orElseThrow().since()).isEqualTo(since);

    engine.consumer.commitFailure = null;
    await().untilAsserted(() -> assertThat(explained().verdict()).isEqualTo("up to date"));
    assertThat(explained().commits().offset()).hasValue(3);
  }

  @Test
  void whatAnEarlierOwnerCommittedIsKnown() {
    engine.start((value, context) -> {});
    engine.assign(P0);
    engine.add(P0, 0, 3);
    await().untilAsserted(() -> assertThat(explained().commits().offset()).hasValue(3));
    engine.assign(P1);
    engine.assign(P0);

    assertThat(explained().commits().offset()).hasValue(3);
    assertThat(explained().commits().at()).isEmpty();
  }

  @Test
  void causesOfAPauseAreToldApart() throws Exception {
    engine.permits = 2;
    engine.drain = Duration.ofSeconds(1);
    engine.start((value, context) -> engine.release.await());
    engine.assign(P0, P1, P2);
    done(engine.handle().pause(List.of(P2)));
    assertThat(explained(2).verdict()).startsWith("paused by the user since ");

    engine.add(P0, 0, 40);
    await()
        .untilAsserted(
            () -> assertThat(explained(0).pauses()).containsOnlyKeys(PauseCause.SHARE_USED));
    assertThat(explained(0).verdict())
        .contains("; held back because it has more than its share of the channel since ");
    engine.add(P1, 0, 40);
    await()
        .untilAsserted(
            () -> assertThat(explained(2).pauses()).containsKey(PauseCause.CHANNEL_FULL));
    assertThat(explained(2).pauses()).containsOnlyKeys(PauseCause.CHANNEL_FULL, PauseCause.USER);
    assertThat(explained(0).pauses())
        .containsOnlyKeys(PauseCause.CHANNEL_FULL, PauseCause.SHARE_USED);
    assertThat(explained(0).verdict()).contains("; held back by the full channel since ");
  }

  @Test
  void aPartitionWithoutRecordsSaysSo() {
    engine.start((value, context) -> {});
    engine.assign(P0);

    assertThat(explained().verdict()).isEqualTo("no records");
  }

  @Test
  void aPollThreadThatDoesNotAnswerIsShownWhereItIs() {
    CountDownLatch inPoll = new CountDownLatch(1);
    engine.start((value, context) -> {});
    engine.assign(P0);
    engine.consumer.schedulePollTask(
        () -> {
          inPoll.countDown();
          EngineFixture.hold(engine.release);
        });
    EngineFixture.hold(inPoll);

    ConsumerExplanation explanation = engine.handle().explain();

    assertThat(explanation.partitions()).isEmpty();
    assertThat(explanation.silence().orElseThrow().stack())
        .anyMatch(frame -> frame.getClassName().equals(EngineFixture.class.getName()));
    assertThat(explanation.toString())
        .containsPattern("a poll thread did not answer \\(waited \\d+ s\\)");
    engine.release.countDown();
    await().untilAsserted(() -> assertThat(engine.handle().explain().silence()).isEmpty());
  }

  @Test
  void aConsumerThatDoesNotComeToItsEndShowsWhatItWaitsFor() {
    engine.start((value, context) -> reserve());
    engine.assign(P0);
    engine.add(P0, 0, 1);
    EngineFixture.hold(running);
    Thread closer = new Thread(() -> engine.handle().close(EngineFixture.SOON));
    closer.start();

    await()
        .untilAsserted(
            () -> {
              ConsumerExplanation explanation = engine.handle().explain();
              assertThat(explanation.state()).isEqualTo(ConsumerState.STOPPING);
              // Just before its queue closes, the poll thread still answers.
              assertThat(explanation.silence()).isPresent();
              assertThat(explanation.silence().orElseThrow().stack())
                  .anyMatch(frame -> frame.getClassName().equals(Drain.class.getName()));
            });
    engine.release.countDown();
    await().until(() -> !closer.isAlive());
  }

  @Test
  void aHandlerMayAskWhileItRuns() {
    CompletableFuture<ConsumerExplanation> seen = new CompletableFuture<>();
    engine.start((value, context) -> seen.complete(engine.handle().explain()));
    engine.assign(P0);
    engine.add(P0, 0, 1);

    await().until(seen::isDone);
    assertThat(seen.join().silence()).isEmpty();
    assertThat(seen.join().partitions().get(0).counts()).isEqualTo(counts(0, 1, 0));
  }

  @Test
  void aConsumerThatHasEndedSaysSoAtOnce() {
    engine.start((value, context) -> {});
    engine.assign(P0);
    engine.handle().close(Duration.ofSeconds(5));

    ConsumerExplanation explanation = engine.handle().explain();

    assertThat(explanation.state()).isEqualTo(ConsumerState.CLOSED);
    assertThat(explanation.partitions()).isEmpty();
    assertThat(explanation.silence()).isEmpty();
  }

  private void reserve() throws InterruptedException {
    running.countDown();
    engine.release.await();
  }

  private Partition explained() {
    return explained(0);
  }

  private Partition explained(int index) {
    return engine.explained().partitions().get(index);
  }

  private static Counts counts(int queued, int running, int parked) {
    return new Counts(queued, running, parked, 0, 0);
  }
}
