package dev.millrace.internal.consumer;

import static dev.millrace.internal.consumer.EngineFixture.P0;
import static dev.millrace.internal.consumer.EngineFixture.P1;
import static dev.millrace.internal.consumer.EngineFixture.P2;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.config.Ordering;
import dev.millrace.consumer.BatchRecord;
import dev.millrace.consumer.ConsumerExplanation;
import dev.millrace.consumer.ConsumerExplanation.Partition;
import dev.millrace.consumer.ConsumerExplanation.PauseCause;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Keys in a back-off, whose records would fill the channel, beside others. */
class RestingTest {
  private static final Duration FOR_EVER = Duration.ofHours(1);

  private final EngineFixture engine = new EngineFixture();
  private final AtomicInteger handled = new AtomicInteger();
  private final Set<String> failed = ConcurrentHashMap.newKeySet();

  @AfterEach
  void leavesNothing() {
    engine.close();
  }

  @Test
  void whileATenthOfTheKeysRestsTheOthersGoOn() {
    engine.backoff = FOR_EVER;
    startFailing();
    engine.assign(P0, P1, P2);
    addTenthFailing(P0, P1, P2);

    await().untilAsserted(() -> assertThat(handled).hasValue(2_700));
    awaitResting(300);
    engine.letTurnsPass();
    assertThat(engine.consumer.paused()).isEmpty();
    ConsumerExplanation explained = engine.explained();
    assertThat(explained.channel().records()).isZero();
    assertThat(explained.channel().resting()).isEqualTo(300);
    assertThat(explained.toString()).contains("channel: 0 of 40 records, 300 more rest, ");
    assertThat(engine.gauge("millrace.consumer.in.flight")).isEqualTo(300);
    assertThat(engine.gauge("millrace.consumer.in.flight.bytes")).isPositive();
  }

  @Test
  void whatHasRestedIsHandledThoughItIsMoreThanTheChannelHolds() {
    engine.backoff = Duration.ofMillis(300);
    startFailing();
    engine.assign(P0, P1, P2);
    addTenthFailing(P0, P1, P2);

    await().untilAsserted(() -> assertThat(handled).hasValue(3_000));
    awaitResting(0);
    engine.awaitInFlight(0);
    engine.letTurnsPass();
    assertThat(engine.consumer.paused()).isEmpty();
  }

  @Test
  void batchesRestToo() {
    engine.backoff = FOR_EVER;
    engine.batchRecords = 2;
    engine.startBatch(
        records -> {
          for (BatchRecord<String> record : records) {
            if (isToRest(record.context().key())) {
              record.retry(new IllegalStateException());
            } else {
              handled.incrementAndGet();
            }
          }
        });
    engine.assign(P0, P1, P2);
    addTenthFailing(P0, P1, P2);

    await().untilAsserted(() -> assertThat(handled).hasValue(2_700));
    awaitResting(300);
    engine.letTurnsPass();
    assertThat(engine.consumer.paused()).isEmpty();
  }

  @Test
  void whatLeavesWhileItRestsRestsNoMoreAndItsKeyRestsOn() {
    engine.backoff = FOR_EVER;
    startFailing();
    engine.assign(P0);
    addTenthFailing(P0);
    awaitResting(100);

    engine.leave(P0);
    awaitResting(0);
    engine.awaitInFlight(0);

    engine.assign(P0);
    addTenthFailing(P0);
    awaitResting(100);
    engine.awaitInFlight(100);
  }

  @Test
  void aRecordThatIsSkippedLetsThoseBehindItGoOn() {
    engine.backoff = FOR_EVER;
    engine.keys = offset -> "rests";
    startFailing();
    engine.assign(P0);
    engine.add(P0, 0, 200);
    awaitResting(200);

    assertThat(engine.handle().skip(P0, 0)).succeedsWithin(EngineFixture.SOON);

    await().untilAsserted(() -> assertThat(handled).hasValue(199));
    awaitResting(0);
    engine.awaitInFlight(0);
  }

  /** Nothing is gained by reading on behind a record that holds its whole partition. */
  @Test
  void aPartitionThatIsOneLaneIsNotReadOn() {
    engine.backoff = FOR_EVER;
    engine.ordering = Ordering.PARTITION;
    engine.keys = offset -> "rests";
    startFailing();
    engine.assign(P0);
    engine.add(P0, 0, 200);

    await()
        .untilAsserted(() -> assertThat(explained(P0).pauses()).containsKey(PauseCause.SHARE_USED));
    assertThat(engine.gauge("millrace.consumer.resting")).isZero();
    assertThat(engine.gauge("millrace.consumer.in.flight"))
        .isBetween(1.0, (double) EngineFixture.CAPACITY);
  }

  @Test
  void whenTooManyRestNothingMoreIsTakenAndTheReaderIsTold() {
    engine.backoff = FOR_EVER;
    engine.channelBytes = 1 << 30;
    engine.keys = offset -> "rests";
    startFailing();
    engine.assign(P0, P1, P2);
    for (TopicPartition partition : Set.of(P0, P1, P2)) {
      engine.add(partition, 0, 1);
    }
    awaitResting(3);
    engine.consumer.setMaxPollRecords(1_000);
    for (TopicPartition partition : Set.of(P0, P1, P2)) {
      engine.add(partition, 1, 20_000);
    }

    await()
        .atMost(EngineFixture.SOON)
        .untilAsserted(
            () -> assertThat(explained(P0).pauses()).containsKey(PauseCause.RESTING_FULL));
    assertThat(explained(P0).verdict())
        .contains("held back because too many records rest until their next attempt since ");
    double resting = engine.gauge("millrace.consumer.resting");
    assertThat(resting).isBetween(49_991.0, 51_000.0);

    assertThat(engine.handle().skip(P0, 0)).succeedsWithin(EngineFixture.SOON);

    await().atMost(EngineFixture.SOON).untilAsserted(() -> assertThat(handled).hasValue(20_000));
    await()
        .untilAsserted(
            () ->
                assertThat(engine.explained().partitions())
                    .noneMatch(one -> one.pauses().containsKey(PauseCause.RESTING_FULL)));
  }

  /** The first record of each key that is to rest fails. */
  private void startFailing() {
    engine.start(
        (value, context) -> {
          if (context.attempt() == 1
              && isToRest(context.key())
              && failed.add(context.partition() + context.key())) {
            throw new IllegalStateException();
          }
          handled.incrementAndGet();
        });
  }

  private static boolean isToRest(String key) {
    return key.startsWith("rests");
  }

  private void addTenthFailing(TopicPartition... partitions) {
    engine.keys = offset -> (offset % 10 == 0 ? "rests-" : "goes-") + offset % 100;
    for (TopicPartition partition : partitions) {
      engine.add(partition, 0, 1_000);
    }
  }

  private void awaitResting(int records) {
    await()
        .untilAsserted(
            () -> assertThat(engine.gauge("millrace.consumer.resting")).isEqualTo(records));
  }

  private Partition explained(TopicPartition partition) {
    return engine.explained().partitions().stream()
        .filter(one -> one.partition().equals(partition))
        .findFirst()
        .orElseThrow();
  }
}
