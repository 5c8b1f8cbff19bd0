package dev.millrace.internal.consumer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.internal.offset.CompletedAhead;
import dev.millrace.internal.offset.OffsetTicket;
import dev.millrace.internal.offset.OffsetTracker;
import dev.millrace.internal.time.EngineClock;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.AcknowledgementCommitCallback;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.ShareConsumer;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.InvalidRecordStateException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the brokers are told of records, and what follows when they say no. */
class RecordLocksTest {
  private static final TopicPartition P0 = new TopicPartition("orders", 0);
  private static final TopicPartition P1 = new TopicPartition("orders", 1);

  private final List<String> told = new ArrayList<>();
  private final List<Long> forgotten = new ArrayList<>();
  private final AtomicInteger lost = new AtomicInteger();
  private final List<TopicPartition> emptied = new ArrayList<>();
  private final OffsetTracker tracker = new OffsetTracker(P0, CompletedAhead.NONE);
  private final OffsetTracker other = new OffsetTracker(P1, CompletedAhead.NONE);
  private long now;
  private @Nullable AcknowledgementCommitCallback callback;
  private Set<String> subscription = Set.of();

  private final QueueClient client = new QueueClient(List.of("orders"), this::fake);
  private final RecordLocks locks =
      new RecordLocks("c", client, clock(), Duration.ofMinutes(5), lost::addAndGet, emptied::add);

  @BeforeEach
  void join() {
    var unused = client.poll(Duration.ZERO);
  }

  @Test
  void onlyWhatIsDoneIsAcceptedAndOnlyWhatIsTakenBackIsReleased() {
    OffsetTicket done = hold(P0, 1);
    hold(P0, 2);
    OffsetTicket running = hold(P0, 3);
    done.start();
    done.complete();
    running.start();
    locks.settle();
    assertThat(told).containsExactly("accept orders-0@1");

    tracker.retire();
    locks.settle();
    assertThat(told).containsExactly("accept orders-0@1", "release orders-0@2");
    assertThat(locks.haveAllEnded()).isFalse();

    running.complete();
    assertThat(locks.haveAllEnded()).isTrue();
    locks.settle();
    locks.settle();
    assertThat(told)
        .containsExactly("accept orders-0@1", "release orders-0@2", "accept orders-0@3");
    assertThat(locks.isEmpty()).isTrue();
  }

  @Test
  void aRecordThatStillRunsWhenItIsTakenBackIsReleased() {
    OffsetTicket stuck = hold(P0, 1);
    stuck.start();
    tracker.takeBack();

    locks.settle();

    assertThat(told).containsExactly("release orders-0@1");
  }

  @Test
  void locksAreRenewedWhenHalfOfThemHasPassed() {
    now = 1_000;
    hold(P0, 1);
    now += 5;
    hold(P0, 2);

    assertThat(locks.renewNanos()).isEqualTo(1_000 + TimeUnit.SECONDS.toNanos(10));
  }

  @Test
  void betweenARenewalAndItsAnswerNothingIsSaid() {
    OffsetTicket done = hold(P0, 1);
    OffsetTicket running = hold(P0, 2);
    hold(P1, 7);
    done.start();
    done.complete();
    running.start();
    locks.renew();
    assertThat(told)
        .containsExactlyInAnyOrder("accept orders-0@1", "renew orders-0@2", "renew orders-1@7");

    running.complete();
    locks.settle();
    answer(P0, Set.of(1L, 2L), null);
    assertThat(locks.isRenewalAnswered()).isFalse();
    answer(P1, Set.of(7L), null);
    assertThat(locks.isRenewalAnswered()).isTrue();
    assertThat(told).hasSize(3);
    locks.renewed();
    locks.settle();

    assertThat(told).contains("accept orders-0@2").hasSize(4);
    assertThat(locks.holds(P1, 7)).isTrue();
    assertThat(lost).hasValue(0);
  }

  @Test
  void aRenewalThatIsRefusedGivesUpItsPartitionAndNoOther() {
    hold(P0, 1);
    hold(P0, 2);
    hold(P1, 7);
    locks.renew();

    answer(P0, Set.of(1L, 2L), new InvalidRecordStateException("expired"));
    answer(P1, Set.of(7L), null);
    locks.renewed();

    assertThat(lost).hasValue(2);
    assertThat(emptied).containsExactly(P0);
    assertThat(locks.holds(P0, 1)).isFalse();
    assertThat(locks.holds(P1, 7)).isTrue();
    assertThat(locks.isRenewalAnswered()).isTrue();
  }

  /** The same record may have come again before the answer to its first end does. */
  @Test
  void anAnswerToAnEarlierEndLeavesTheRecordThatCameAgain() {
    OffsetTicket first = hold(P0, 1);
    first.start();
    first.complete();
    locks.settle();
    hold(P0, 1);

    answer(P0, Set.of(1L), new InvalidRecordStateException("expired"));

    assertThat(lost).hasValue(1);
    assertThat(locks.holds(P0, 1)).isTrue();
    assertThat(emptied).isEmpty();
  }

  @Test
  void whatTheClientHasForgottenIsLost() {
    OffsetTicket done = hold(P0, 1);
    hold(P0, 2);
    done.start();
    done.complete();
    forgotten.addAll(List.of(1L, 2L));

    locks.renew();

    assertThat(lost).hasValue(2);
    assertThat(locks.isEmpty()).isTrue();
    assertThat(emptied).containsExactly(P0);
    assertThat(locks.isRenewalAnswered()).isTrue();
  }

  private OffsetTicket hold(TopicPartition partition, long offset) {
    OffsetTicket ticket = (partition.equals(P0) ? tracker : other).issue(offset, 0);
    assertThat(ticket).isNotNull();
    locks.add(
        partition,
        new ConsumerRecord<>(
            partition.topic(), partition.partition(), offset, new byte[0], new byte[0]),
        ticket);
    return ticket;
  }

  private void answer(TopicPartition partition, Set<Long> offsets, @Nullable Exception failure) {
    AcknowledgementCommitCallback registered = callback;
    assertThat(registered).isNotNull();
    registered.onComplete(
        Map.of(new TopicIdPartition(Uuid.ZERO_UUID, partition), offsets), failure);
  }

  private EngineClock clock() {
    return new EngineClock() {
      @Override
      public long nanos() {
        return now;
      }

      @Override
      public Instant now() {
        return Instant.EPOCH;
      }
    };
  }

  @SuppressWarnings("unchecked") // the proxy implements it
  private ShareConsumer<byte[], byte[]> fake() {
    return (ShareConsumer<byte[], byte[]>)
        Proxy.newProxyInstance(
            RecordLocksTest.class.getClassLoader(),
            new Class<?>[] {ShareConsumer.class},
            (proxy, method, given) -> called(method.getName(), given));
  }

  private @Nullable Object called(String method, Object[] given) {
    return switch (method) {
      case "subscription" -> subscription;
      case "acquisitionLockTimeoutMs" -> Optional.of(20_000);
      case "poll" -> ConsumerRecords.empty();
      case "subscribe" -> {
        subscription = Set.of("orders");
        yield null;
      }
      case "setAcknowledgementCommitCallback" -> {
        callback = (AcknowledgementCommitCallback) given[0];
        yield null;
      }
      case "acknowledge" -> {
        acknowledged((ConsumerRecord<?, ?>) given[0], given[1]);
        yield null;
      }
      case "commitAsync" -> null;
      default -> throw new AssertionError(method);
    };
  }

  private void acknowledged(ConsumerRecord<?, ?> record, Object type) {
    if (forgotten.contains(record.offset())) {
      throw new IllegalStateException("The record cannot be acknowledged.");
    }
    told.add(type + " " + record.topic() + "-" + record.partition() + "@" + record.offset());
  }
}
