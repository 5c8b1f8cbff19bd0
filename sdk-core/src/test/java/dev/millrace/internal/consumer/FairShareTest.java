package dev.millrace.internal.consumer;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.consumer.ConsumerExplanation.PauseCause;
import dev.millrace.internal.channel.Deliveries;
import dev.millrace.internal.channel.Delivery;
import dev.millrace.internal.channel.DeliveryProcessor;
import dev.millrace.internal.channel.Lane;
import dev.millrace.internal.channel.LaneScheduler;
import dev.millrace.internal.channel.Permits;
import dev.millrace.internal.channel.PollThreadSignal;
import dev.millrace.internal.channel.Waiting;
import dev.millrace.internal.metrics.ConsumerMeters;
import dev.millrace.internal.offset.CompletedAhead;
import dev.millrace.internal.time.StoppedClock;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.stream.LongStream;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A channel for 100 records, tight above 50, which is one partition's share of two as well. */
class FairShareTest {
  private static final TopicPartition P0 = new TopicPartition("topic", 0);
  private static final TopicPartition P1 = new TopicPartition("topic", 1);

  private final MockConsumer<byte[], byte[]> client = new MockConsumer<>("none");
  private final Assignment assignment =
      new Assignment(new ConsumerMeters(new SimpleMeterRegistry(), "c", "g"), abandoned -> {});
  private final LaneScheduler channel =
      new LaneScheduler(100, new NobodyWaits(), Permits.threads());
  private final IntakeGate gate = new IntakeGate(client, assignment, new StoppedClock());
  private final FairShare shares =
      new FairShare(new FlowControl(100, 1 << 20, 10, 4), channel.inFlight(), gate);

  @BeforeEach
  void ownsTwo() {
    client.assign(List.of(P0, P1));
    assignment.add(new AssignedPartition(P0, CompletedAhead.NONE));
    assignment.add(new AssignedPartition(P1, CompletedAhead.NONE));
  }

  @Test
  void whoHasMoreThanItsShareOfATightChannelIsHeldUntilItHasLittleAgain() {
    deliver(P0, 60);
    assertThat(shares.isExceeded(assignment.all())).isTrue();
    shares.hold(assignment.all());

    assertThat(client.paused()).containsExactly(P0);
    assertThat(shares.isExceeded(assignment.all())).as("it is held already").isFalse();
    assertThat(shares.isHolding()).isTrue();
    assertThat(shares.heldRecords()).isEqualTo(60);

    shares.release(assignment.all());
    assertThat(client.paused()).containsExactly(P0);
    assertThat(shares.heldRecords()).as("counted anew").isEqualTo(60);

    takeBackAllOf(P0);
    shares.release(assignment.all());
    assertThat(client.paused()).isEmpty();
    assertThat(shares.isHolding()).isFalse();
    assertThat(shares.heldRecords()).isZero();
    assertThat(shares.heldBytes()).isZero();
  }

  @Test
  void whileTheChannelIsNotTightNobodyIsHeld() {
    FairShare roomy =
        new FairShare(new FlowControl(100, 1 << 20, 10, 80), channel.inFlight(), gate);
    deliver(P0, 60);

    assertThat(roomy.isExceeded(assignment.all())).isFalse();
    roomy.hold(assignment.all());

    assertThat(client.paused()).isEmpty();
    assertThat(roomy.isHolding()).isFalse();
  }

  @Test
  void whatAPartitionHasStillAtWorkWhenItStartsAnewCountsForItsShare() {
    deliver(P0, 60);
    for (Delivery delivery : deliver(P1, 10)) {
      delivery.ticket().start();
    }

    assignment.startAnew(P0);
    assignment.startAnew(P1);

    assertThat(owned(P0).load().records()).as("taken back").isZero();
    assertThat(owned(P1).load().records()).as("runs").isEqualTo(10);
  }

  @Test
  void whatRestsTakesNoRoomFromTheOthers() {
    Delivery head = deliver(P0, 60).get(0);
    Lane lane = requireNonNull(channel.take());
    boolean kept =
        channel.workOn(
            lane,
            failed -> {
              failed.ticket().start();
              failed.waitsFor(new Waiting.ForRetry(1_000, "Failure"));
              failed.rests();
              return DeliveryProcessor.Progress.PARKED;
            });
    assertThat(kept).isFalse();
    deliver(P1, 60);
    assertThat(shares.isExceeded(assignment.all())).as("of P1").isTrue();
    shares.hold(assignment.all());

    assertThat(client.paused()).containsExactly(P1);
    assertThat(shares.heldRecords()).isEqualTo(60);

    takeBackAllOf(P1);
    shares.release(assignment.all());
    assertThat(client.paused()).isEmpty();
    channel.resume(head);
    assertThat(shares.isExceeded(assignment.all())).as("it has gone on").isTrue();
  }

  @Test
  void aHoldEndsWithTheOwnership() {
    deliver(P0, 60);
    shares.hold(assignment.all());

    assignment.remove(List.of(P0));
    gate.gone(List.of(P0));
    assignment.add(new AssignedPartition(P0, CompletedAhead.NONE));
    gate.assigned();

    assertThat(gate.isHeld(P0, PauseCause.SHARE_USED)).isFalse();
    assertThat(gate.causes(P0)).isEmpty();
  }

  private List<Delivery> deliver(TopicPartition partition, int records) {
    AssignedPartition to = owned(partition);
    return LongStream.range(0, records)
        .mapToObj(
            offset ->
                new Delivery(
                    Deliveries.record(offset, "key"),
                    requireNonNull(to.tracker().issue(offset, -1)),
                    to.load(),
                    0))
        .peek(delivery -> channel.offer(delivery, partition.partition()))
        .toList();
  }

  private void takeBackAllOf(TopicPartition partition) {
    owned(partition).tracker().takeBack();
  }

  private AssignedPartition owned(TopicPartition partition) {
    return assignment.owned(Set.of(partition)).get(0);
  }

  private static final class NobodyWaits implements PollThreadSignal {
    @Override
    public boolean await(
        BooleanSupplier condition, BooleanSupplier worthWaking, long deadlineNanos) {
      throw new IllegalStateException("Nobody waits here.");
    }

    @Override
    public void raise() {}
  }
}
