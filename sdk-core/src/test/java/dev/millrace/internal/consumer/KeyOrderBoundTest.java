package dev.millrace.internal.consumer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.config.KeylessRecords;
import dev.millrace.config.Ordering;
import dev.millrace.config.RetryDefinition;
import dev.millrace.config.RetryTopicsDefinition;
import dev.millrace.consumer.ConsumerExplanation.PauseCause;
import dev.millrace.internal.channel.KeyPlace;
import dev.millrace.internal.channel.KeysAhead;
import dev.millrace.internal.channel.LaneTags;
import dev.millrace.internal.delivery.RetryRecords;
import dev.millrace.internal.delivery.RetryTopics;
import dev.millrace.internal.keys.FakeRetryLogs;
import dev.millrace.internal.keys.KeyOrder;
import dev.millrace.internal.metrics.ConsumerMeters;
import dev.millrace.internal.offset.CompletedAhead;
import dev.millrace.internal.offset.OffsetTicket;
import dev.millrace.internal.offset.OffsetTracker;
import dev.millrace.internal.runtime.OnCallersThread;
import dev.millrace.internal.time.SteppedClock;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** At most four keys of a partition are ahead; looks are made at once, on the test's thread. */
class KeyOrderBoundTest {
  private static final TopicPartition SOURCE = new TopicPartition("orders", 0);
  private static final TopicPartition RETRY = new TopicPartition("orders.group.retry.1", 0);
  private static final int MOST = 4;

  private final SteppedClock clock = new SteppedClock();
  private final MockConsumer<byte[], byte[]> client = new MockConsumer<>("none");
  private final Assignment assignment =
      new Assignment(new ConsumerMeters(new SimpleMeterRegistry(), "c", "g"), abandoned -> {});
  private final IntakeGate gate = new IntakeGate(client, assignment, clock);
  private final FakeRetryLogs logs = new FakeRetryLogs();
  private final List<Throwable> bugs = new ArrayList<>();
  private final KeyOrder order = order();

  @BeforeEach
  void ownsBoth() {
    client.assign(List.of(SOURCE, RETRY));
    assignment.add(new AssignedPartition(SOURCE, CompletedAhead.NONE));
    assignment.add(new AssignedPartition(RETRY, CompletedAhead.NONE));
    logs.fails = true;
    order.assigned(List.of(SOURCE, RETRY));
  }

  @Test
  void aPartitionThatIsNotKnownIsHeldBackAndHandsNothingOver() {
    turn();

    assertThat(client.paused()).containsExactly(SOURCE);
    assertThatThrownBy(() -> order.place(SOURCE, 1L)).isInstanceOf(IllegalStateException.class);
    assertThat(order.place(RETRY, 1L)).as("it is the last").isNull();
    logs.fails = false;
    turn();
    assertThat(client.paused()).isEmpty();
    assertThat(order.place(SOURCE, 1L)).isNotNull();
    assertThat(order.place(SOURCE, null)).isNull();
  }

  @Test
  void aPartitionThatCantBeLookedAtHoldsNoOtherUp() {
    TopicPartition other = new TopicPartition(SOURCE.topic(), 1);
    client.assign(List.of(SOURCE, RETRY, other));
    assignment.add(new AssignedPartition(other, CompletedAhead.NONE));
    order.assigned(List.of(other));
    logs.fails = false;
    logs.silent.add(new TopicPartition(RETRY.topic(), 1));
    turn();

    assertThat(gate.causes(SOURCE)).isEmpty();
    assertThat(gate.causes(other)).containsOnlyKeys(PauseCause.KEYS_NOT_KNOWN);

    logs.silent.clear();
    turn();
    assertThat(gate.causes(other)).isEmpty();
  }

  /** It has made its client when there was nothing yet to wake, and nobody comes to close it. */
  @Test
  void aLookThatGoesOnBeyondTheEndLeavesNothingOpen() {
    logs.meanwhile = () -> order.close(Duration.ofSeconds(1));

    turn();

    assertThat(logs.isOpen).isFalse();
  }

  /** Else it would wait for a look that there will not be, and nobody would hear why. */
  @Test
  void whatWaitsForItsKeyFollowsWhenTheRetryTopicIsGone() {
    logs.fails = false;
    turn();
    KeyPlace place = Objects.requireNonNull(order.place(SOURCE, 7L));
    for (int sent = 0; place.next() != KeysAhead.Next.WAIT; sent++) {
      assertThat(sent).isLessThan(10);
      place.sent(sent);
      logs.ends.put(RETRY, sent + 1L);
      logs.committed.put(RETRY, (long) sent);
      turn();
    }

    logs.absent.add(RETRY);
    turn();

    assertThat(place.next()).isEqualTo(KeysAhead.Next.FOLLOW);
  }

  @Test
  void noMoreIsTakenWhileTooManyKeysAreAhead() {
    logs.fails = false;
    turn();
    logs.ends.put(RETRY, (long) MOST);
    for (long key = 0; key < MOST; key++) {
      Objects.requireNonNull(order.place(SOURCE, key)).sent(key);
    }
    turn();
    assertThat(gate.causes(SOURCE)).containsOnlyKeys(PauseCause.TOO_MANY_KEYS_AHEAD);
    assertThat(order.keysAhead()).isEqualTo(MOST);

    logs.committed.put(RETRY, 1L);
    turn();
    assertThat(order.keysAhead()).isEqualTo(3);
    assertThat(client.paused()).as("until half of them are back").containsExactly(SOURCE);
    logs.committed.put(RETRY, 2L);
    turn();
    assertThat(client.paused()).isEmpty();
  }

  @Test
  void aPartitionWithMoreKeysAheadThanCanBeRememberedIsHeldBackUntilTheyAreFewer() {
    logs.fails = false;
    for (int offset = 0; offset < 6; offset++) {
      logs.records.add(
          new ConsumerRecord<>(RETRY.topic(), 0, offset, new byte[] {(byte) offset}, new byte[0]));
    }
    logs.ends.put(RETRY, 6L);
    turn();
    assertThat(gate.causes(SOURCE)).containsKey(PauseCause.KEYS_NOT_KNOWN);

    logs.committed.put(RETRY, 4L);
    turn();
    assertThat(gate.causes(SOURCE)).doesNotContainKey(PauseCause.KEYS_NOT_KNOWN);
  }

  @Test
  void aCommitBeyondTheEndIsOfATopicThatWasThereBefore() {
    logs.fails = false;
    for (int offset = 0; offset < 2; offset++) {
      logs.records.add(
          new ConsumerRecord<>(RETRY.topic(), 0, offset, new byte[] {(byte) offset}, new byte[0]));
    }
    logs.ends.put(RETRY, 2L);
    logs.committed.put(RETRY, 9L);
    turn();
    turn();

    assertThat(order.keysAhead()).isEqualTo(2);
  }

  @Test
  void aRetryTopicThatIsNotThereHoldsNothingYetAndKeepsWhatWasSentToIt() {
    logs.fails = false;
    logs.absent.add(RETRY);
    turn();
    assertThat(client.paused()).isEmpty();

    Objects.requireNonNull(order.place(SOURCE, 7L)).sent(0);
    turn();
    turn();
    assertThat(order.keysAhead()).as("it may be hidden only").isEqualTo(1);
    logs.absent.clear();
    logs.ends.put(RETRY, 1L);
    logs.committed.put(RETRY, 1L);
    turn();
    assertThat(order.keysAhead()).isZero();
  }

  /** A user's skip may have ended it before an earlier one of its key. */
  @Test
  void whatHasEndedBeyondTheCommitIsStillAhead() {
    logs.fails = false;
    logs.ends.put(RETRY, 2L);
    turn();
    OffsetTracker tracker = new OffsetTracker(RETRY, CompletedAhead.NONE);
    var unused = tracker.issue(0, -1);
    OffsetTicket skipped = Objects.requireNonNull(tracker.issue(1, -1));
    assertThat(skipped.skip()).isTrue();
    logs.commits.put(RETRY, Objects.requireNonNull(tracker.committable(CompletedAhead.MAX_CHARS)));
    Objects.requireNonNull(order.place(SOURCE, 7L)).sent(1);
    turn();
    turn();
    assertThat(order.keysAhead()).isEqualTo(1);

    logs.committed.put(RETRY, 2L);
    turn();
    assertThat(order.keysAhead()).isZero();
  }

  @Test
  void whatIsNoBrokersFaultIsTold() {
    logs.isBroken = true;

    turn();
    assertThat(bugs).singleElement().isInstanceOf(IllegalStateException.class);
  }

  private void turn() {
    clock.advance(Duration.ofSeconds(1).toNanos());
    order.turn(clock.nanos());
  }

  private KeyOrder order() {
    ConsumerDefinition definition =
        TestDefinitions.consumer(
            Ordering.KEY, 4, 40, 1, false, Duration.ofMillis(100), Duration.ZERO);
    RetryTopics topics =
        new RetryTopics(
            definition.withRetry(
                new RetryDefinition(
                    1,
                    definition.retry().backoff(),
                    new RetryTopicsDefinition(
                        List.of(Duration.ofSeconds(10)),
                        RetryTopicsDefinition.DEFAULT_NAMES,
                        true,
                        true))));
    LaneTags tags = new LaneTags(Ordering.KEY, ConsumerRecord::key, KeylessRecords.SPREAD);
    return new KeyOrder(
        "c",
        topics,
        new RetryRecords(topics, () -> {}),
        tags,
        gate,
        clock,
        logs,
        new OnCallersThread(),
        MOST,
        bugs::add);
  }
}
