package dev.millrace.internal.consumer;

import static dev.millrace.internal.consumer.EngineFixture.P0;
import static dev.millrace.internal.consumer.EngineFixture.P1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.config.Ordering;
import dev.millrace.consumer.ConsumerExplanation.Partition;
import dev.millrace.consumer.ConsumerExplanation.PauseCause;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.TopicPartition;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** One partition that hangs, or has most of the records, beside others that have some too. */
class FairnessTest {
  private final EngineFixture engine = new EngineFixture();
  private final CountDownLatch running = new CountDownLatch(1);
  private final AtomicInteger handledOfP0 = new AtomicInteger();
  private final AtomicInteger handledOfP1 = new AtomicInteger();
  private final AtomicInteger mostInFlight = new AtomicInteger();

  @AfterEach
  void leavesNothing() {
    engine.close();
  }

  @Test
  void besideAPartitionThatHangsTheOtherHandlesAllItHas() {
    startHangingInP0();
    engine.assign(P0, P1);
    engine.add(P0, 0, 500);
    EngineFixture.hold(running);
    awaitShareUsed(P0);

    engine.add(P1, 0, 2_000);

    soon().until(() -> handledOfP1.get() == 2_000);
    assertThat(handledOfP0).hasValue(0);
    assertThat(mostInFlight.get()).isLessThanOrEqualTo(EngineFixture.CAPACITY);
    assertThat(explained(P0).pauses()).containsKey(PauseCause.SHARE_USED);

    engine.release.countDown();

    soon().until(() -> handledOfP0.get() == 500);
    soon().until(() -> engine.consumer.paused().isEmpty());
    assertThat(mostInFlight.get()).isLessThanOrEqualTo(EngineFixture.CAPACITY);
  }

  @Test
  void recordsThatComeOneByOneAreHandledTooAsOftenAsTheyCome() {
    startHangingInP0();
    engine.assign(P0, P1);
    engine.add(P0, 0, 500);
    awaitShareUsed(P0);

    for (int offset = 0; offset < 30; offset++) {
      int next = offset;
      engine.add(P1, next, 1);
      soon().until(() -> handledOfP1.get() == next + 1);
    }
  }

  /** It was alone when it began to hang, so nobody else wanted the room. */
  @Test
  void aPartitionThatIsAssignedLaterHasRoomToo() {
    startHangingInP0();
    engine.assign(P0);
    engine.add(P0, 0, 500);
    awaitShareUsed(P0);

    engine.consumer.schedulePollTask(() -> engine.consumer.rebalance(List.of(P0, P1)));
    engine.add(P1, 0, 200);

    soon().until(() -> handledOfP1.get() == 200);
  }

  @Test
  void largeRecordsThatHangLeaveRoomToo() {
    int record = EngineFixture.bytesOf(10);
    engine.channelBytes = 20L * record;
    engine.consumer.setMaxPollRecords(2);
    startHangingInP0();
    engine.assign(P0, P1);
    engine.add(P0, 10, 80);
    awaitShareUsed(P0);

    engine.add(P1, 10, 80);

    soon().until(() -> handledOfP1.get() == 80);
    assertThat(mostInFlight.get()).as("bounded by bytes").isLessThanOrEqualTo(20 + 2);
  }

  /** Its records are few when they come to an end, and then it is held no longer. */
  @Test
  void aPartitionThatIsSlowIsHeldForAWhileOnly() {
    CountDownLatch go = new CountDownLatch(1);
    engine.start(
        (value, context) -> {
          watch();
          if (context.partition() == 0) {
            EngineFixture.hold(go);
            handledOfP0.incrementAndGet();
          } else {
            handledOfP1.incrementAndGet();
          }
        });
    engine.assign(P0, P1);
    engine.add(P0, 0, 300);
    engine.add(P1, 0, 300);
    awaitShareUsed(P0);
    go.countDown();

    soon().until(() -> handledOfP0.get() == 300 && handledOfP1.get() == 300);
    soon().until(() -> engine.consumer.paused().equals(Set.of()));
    assertThat(mostInFlight.get()).isLessThanOrEqualTo(EngineFixture.CAPACITY);
  }

  private void startHangingInP0() {
    engine.ordering = Ordering.PARTITION;
    engine.drain = Duration.ofMillis(10);
    engine.start(
        (value, context) -> {
          watch();
          if (context.partition() == 0) {
            running.countDown();
            engine.release.await();
            handledOfP0.incrementAndGet();
          } else {
            handledOfP1.incrementAndGet();
          }
        });
  }

  private void watch() {
    mostInFlight.accumulateAndGet((int) engine.gauge("millrace.consumer.in.flight"), Math::max);
  }

  private void awaitShareUsed(TopicPartition partition) {
    soon()
        .untilAsserted(
            () -> assertThat(explained(partition).pauses()).containsKey(PauseCause.SHARE_USED));
    assertThat(engine.consumer.paused()).contains(partition);
  }

  private Partition explained(TopicPartition partition) {
    return engine.handle().explain().partitions().stream()
        .filter(one -> one.partition().equals(partition))
        .findFirst()
        .orElseThrow();
  }

  private static ConditionFactory soon() {
    return await().atMost(Duration.ofSeconds(60));
  }
}
