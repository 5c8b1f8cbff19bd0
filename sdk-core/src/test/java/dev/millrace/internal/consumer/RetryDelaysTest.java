package dev.millrace.internal.consumer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.config.Ordering;
import dev.millrace.config.RetryDefinition;
import dev.millrace.config.RetryTopicsDefinition;
import dev.millrace.consumer.ConsumerExplanation.PauseCause;
import dev.millrace.internal.channel.LaneScheduler;
import dev.millrace.internal.channel.Permits;
import dev.millrace.internal.channel.SteppedSignal;
import dev.millrace.internal.delivery.RetryTopics;
import dev.millrace.internal.metrics.ConsumerMeters;
import dev.millrace.internal.offset.CompletedAhead;
import dev.millrace.internal.time.SteppedClock;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A retry topic with a delay of ten seconds; polls of 100 records. */
class RetryDelaysTest {
  private static final TopicPartition SOURCE = new TopicPartition("orders", 0);
  private static final TopicPartition RETRY = new TopicPartition("orders.group.retry.1", 0);
  private static final int MAX_POLL = 100;

  private final SteppedClock clock = new SteppedClock();
  private final MockConsumer<byte[], byte[]> client = new MockConsumer<>("none");
  private final Assignment assignment =
      new Assignment(new ConsumerMeters(new SimpleMeterRegistry(), "c", "g"), abandoned -> {});
  private final IntakeGate gate = new IntakeGate(client, assignment, clock);
  private final RetryDelays delays = delays(1_000);
  private final List<Long> handedOver = new ArrayList<>();

  @BeforeEach
  void ownsBoth() {
    client.assign(List.of(SOURCE, RETRY));
    assignment.add(new AssignedPartition(SOURCE, CompletedAhead.NONE));
    assignment.add(new AssignedPartition(RETRY, CompletedAhead.NONE));
  }

  @Test
  void whatComesFromNoRetryTopicWaitsForNothing() {
    assertThat(
            delays.keepsBack(
                owned(SOURCE), List.of(record(SOURCE, 0, 0)), new OffsetAndMetadata(1)))
        .isFalse();
    assertThat(delays.isHolding()).isFalse();
  }

  @Test
  void eachIsHandedOverWhenItsDelayHasPassedSinceItWasWritten() {
    clock.advance(Duration.ofSeconds(4).toNanos());
    poll(0, 1_000, 2_000, 4_000);

    assertThat(delays.nanosToNext(Long.MAX_VALUE)).isEqualTo(Duration.ofSeconds(7).toNanos());
    passUntil(10_999);
    assertThat(handedOver).isEmpty();
    assertThat(owned(RETRY).tracker().position()).isEmpty();
    passUntil(11_000);
    assertThat(handedOver).containsExactly(0L);
    assertThat(owned(RETRY).tracker().position()).as("no commit passes the others").hasValue(1);
    assertThat(delays.nanosToNext(Long.MAX_VALUE)).isEqualTo(Duration.ofSeconds(1).toNanos());
    passUntil(14_000);
    assertThat(handedOver).containsExactly(0L, 1L, 2L);
    assertThat(owned(RETRY).tracker().position()).as("where the client goes on").hasValue(3);
    assertThat(delays.isHolding()).isFalse();
    assertThat(delays.nanosToNext(77)).isEqualTo(77);
  }

  @Test
  void whatOnlyFollowsItsKeyIsDueWhenAllBeforeItAre() {
    ConsumerRecord<byte[], byte[]> first = record(RETRY, 0, 0);
    ConsumerRecord<byte[], byte[]> failed = record(RETRY, 1, 2_000);
    ConsumerRecord<byte[], byte[]> last = record(RETRY, 2, 3_000);
    for (ConsumerRecord<byte[], byte[]> follows : List.of(first, last)) {
      follows.headers().add("millrace-retry-follows-key", new byte[0]);
    }
    clock.advance(Duration.ofSeconds(4).toNanos());
    delays.keepsBack(owned(RETRY), List.of(first, failed, last), new OffsetAndMetadata(3));

    passUntil(4_000);
    assertThat(handedOver).containsExactly(0L);
    passUntil(11_999);
    assertThat(handedOver).containsExactly(0L);
    passUntil(12_000);
    assertThat(handedOver).containsExactly(0L, 1L, 2L);
  }

  @Test
  void aTimestampOfTheFutureHasItWaitNoLongerThanTheDelay() {
    poll(0, 3_600_000);

    passUntil(9_999);
    assertThat(handedOver).isEmpty();
    passUntil(10_000);
    assertThat(handedOver).containsExactly(0L);
  }

  @Test
  void thePartitionIsPausedWhileMuchWaitsAndReadOnBeforeAllIsGone() {
    for (int poll = 0; poll < 9; poll++) {
      poll(poll * 100L, times(100, 0));
    }
    assertThat(client.paused()).isEmpty();
    poll(900, times(100, 5_000));

    assertThat(client.paused()).containsExactly(RETRY);
    passUntil(10_000);
    assertThat(handedOver).as("no more at once than a poll returns").hasSize(100);
    for (int turn = 0; turn < 3; turn++) {
      delays.handOver(this::take);
    }
    assertThat(client.paused()).containsExactly(RETRY);
    delays.handOver(this::take);
    assertThat(handedOver).hasSize(500);
    assertThat(client.paused()).isEmpty();
  }

  @Test
  void oneRecordMayBeMuch() {
    delays.keepsBack(
        owned(RETRY), List.of(record(RETRY, 0, 0, new byte[1 << 20])), new OffsetAndMetadata(1));

    assertThat(client.paused()).containsExactly(RETRY);
    passUntil(10_000);
    assertThat(client.paused()).isEmpty();
  }

  @Test
  void nothingIsHandedOverWithoutRoomOrWhileThereIsAnotherCauseToRest() {
    poll(0, 0);
    clock.advance(Duration.ofSeconds(10).toNanos());

    delays(MAX_POLL - 1).handOver(this::take);
    gate.hold(RETRY, PauseCause.SHARE_USED);
    delays.handOver(this::take);
    assertThat(handedOver).isEmpty();

    gate.release(RETRY, PauseCause.SHARE_USED);
    delays.handOver(this::take);
    assertThat(handedOver).containsExactly(0L);
  }

  /** Or the poll thread would ask for ever without a rest whether it may be handed over now. */
  @Test
  void whatIsDueAndMustRestIsNotWaitedFor() {
    poll(0, 0);
    clock.advance(Duration.ofSeconds(10).toNanos());
    gate.byUser(user -> user.with(List.of(RETRY), clock.now()));

    assertThat(delays.nanosToNext(77)).isEqualTo(77);
  }

  @Test
  void whatWaitsIsForgottenWithItsPartition() {
    poll(0, times(1_000, 0));
    assertThat(client.paused()).containsExactly(RETRY);

    assignment.startAnew(RETRY);

    passUntil(10_000);
    assertThat(handedOver).isEmpty();
    assertThat(client.paused()).isEmpty();
  }

  @Test
  void whatIsDroppedIsNeitherHandedOverNorWaitedFor() {
    clock.advance(Duration.ofSeconds(4).toNanos());
    poll(0, 0, 1_000, 2_000);

    assertThat(owned(RETRY).drop(1)).isTrue();
    assertThat(owned(RETRY).drop(1)).isFalse();
    assertThat(owned(RETRY).drop(3)).isFalse();
    assertThat(owned(RETRY).tracker().position()).as("the first still waits").isEmpty();
    assertThat(owned(RETRY).notDue().bytes()).isEqualTo(20);
    passUntil(10_000);
    assertThat(handedOver).containsExactly(0L);
    assertThat(owned(RETRY).tracker().position()).hasValue(2);

    assertThat(owned(RETRY).drop(2)).isTrue();
    assertThat(owned(RETRY).tracker().position()).hasValue(3);
    assertThat(delays.isHolding()).isFalse();
    passUntil(12_000);
    assertThat(handedOver).containsExactly(0L);
  }

  /** An aborted transaction's, say: to be past it is not to be past what waits. */
  @Test
  void aMarkerBehindWhatWaitsPassesNothing() {
    poll(0, 0);

    owned(RETRY).readTo(new OffsetAndMetadata(7));

    assertThat(owned(RETRY).tracker().position()).isEmpty();
    passUntil(10_000);
    assertThat(owned(RETRY).tracker().position()).hasValue(7);
    owned(RETRY).readTo(new OffsetAndMetadata(9));
    assertThat(owned(RETRY).tracker().position()).hasValue(9);
  }

  @Test
  void aLogThatWasCutBelowWhatWaitsIsNoticed() {
    poll(50, 0, 0);

    assertThat(owned(RETRY).notDue().isBehind(51)).isTrue();
    assertThat(owned(RETRY).notDue().isBehind(52)).isFalse();
    assertThat(owned(RETRY).notDue().ahead()).isEqualTo(2);
  }

  private RetryDelays delays(int capacity) {
    ConsumerDefinition definition =
        TestDefinitions.consumer(
            Ordering.KEY, 4, 40, 1, false, Duration.ofMillis(100), Duration.ZERO);
    RetryDefinition retry =
        new RetryDefinition(
            1,
            definition.retry().backoff(),
            new RetryTopicsDefinition(
                List.of(Duration.ofSeconds(10)), RetryTopicsDefinition.DEFAULT_NAMES, true));
    return new RetryDelays(
        new RetryTopics(definition.withRetry(retry)),
        clock,
        assignment,
        gate,
        new FlowControl(capacity, 1 << 20, MAX_POLL, 4),
        new LaneScheduler(
                capacity,
                new SteppedSignal(
                    new SteppedSignal.Surroundings() {
                      @Override
                      public long nanos() {
                        return clock.nanos();
                      }

                      @Override
                      public boolean step(long deadlineNanos) {
                        return false;
                      }
                    }),
                Permits.threads())
            .inFlight(),
        false);
  }

  private AssignedPartition owned(TopicPartition name) {
    return assignment.owned(List.of(name)).get(0);
  }

  private void passUntil(long epochMillis) {
    clock.advance(Duration.ofMillis(epochMillis - clock.now().toEpochMilli()).toNanos());
    delays.handOver(this::take);
  }

  private void take(AssignedPartition partition, List<ConsumerRecord<byte[], byte[]>> records) {
    assertThat(partition.partition()).isEqualTo(RETRY);
    records.forEach(record -> handedOver.add(record.offset()));
  }

  private static long[] times(int count, long time) {
    return LongStream.range(0, count).map(i -> time).toArray();
  }

  /** As if a poll had returned records of the retry topic, written at these times. */
  private void poll(long from, long... times) {
    List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
    for (int i = 0; i < times.length; i++) {
      records.add(record(RETRY, from + i, times[i]));
    }
    assertThat(delays.keepsBack(owned(RETRY), records, new OffsetAndMetadata(from + times.length)))
        .isTrue();
  }

  private static ConsumerRecord<byte[], byte[]> record(
      TopicPartition partition, long offset, long time) {
    return record(partition, offset, time, new byte[10]);
  }

  private static ConsumerRecord<byte[], byte[]> record(
      TopicPartition partition, long offset, long time, byte[] value) {
    return new ConsumerRecord<>(
        partition.topic(),
        partition.partition(),
        offset,
        time,
        TimestampType.CREATE_TIME,
        ConsumerRecord.NULL_SIZE,
        value.length,
        null,
        value,
        new RecordHeaders(),
        Optional.empty());
  }
}
