package dev.millrace.internal.channel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.internal.channel.Delivery.Rest;
import dev.millrace.internal.channel.DeliveryProcessor.Progress;
import dev.millrace.internal.offset.CompletedAhead;
import dev.millrace.internal.offset.OffsetTicket;
import dev.millrace.internal.offset.OffsetTracker;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

/** What a lane holds takes no room in the channel while it waits for its head's next attempt. */
class RestTest {
  private static final long LANE = 7;

  private final AtomicInteger raised = new AtomicInteger();
  private final OffsetTracker tracker =
      new OffsetTracker(new TopicPartition("topic", 0), CompletedAhead.NONE);
  private final PartitionLoad load = new PartitionLoad();
  private LaneScheduler scheduler = scheduler(true);
  private long next;

  @Test
  void whatIsBehindARecordThatBacksOffRestsWithIt() {
    Delivery head = offer();
    offer();
    offer(8);

    assertThat(raised).hasValue(0);
    workOn(this::backOff);

    assertThat(raised).as("there is room").hasValue(1);
    assertCounts(1, 2);
    offer();
    assertCounts(1, 3);

    scheduler.resume(head);
    assertCounts(4, 0);
    workOff();
    assertCounts(0, 0);
  }

  /** It may fail again and again. */
  @Test
  void aLaneRestsAsOftenAsItsHeadBacksOff() {
    Delivery head = offer();
    for (int attempt = 0; attempt < 3; attempt++) {
      offer();
      workOn(this::backOff);
      assertCounts(0, 2 + attempt);
      scheduler.resume(head);
      assertCounts(2 + attempt, 0);
    }
    workOff();
    assertCounts(0, 0);
  }

  @Test
  void otherWaitsTakeRoomAsBefore() {
    Delivery head = offer();
    offer();
    workOn(
        delivery -> {
          delivery.ticket().start();
          delivery.waitsFor(new Waiting.ForMessage(0, Waiting.ForMessage.STORE));
          return delivery.rests() == Rest.WAITS ? Progress.PARKED : Progress.ENDED;
        });

    assertCounts(2, 0);
    scheduler.resume(head);
    workOff();
    assertCounts(0, 0);
  }

  @Test
  void whatIsTakenBackWhileItRestsIsTakenFromWhereItCounts() {
    Delivery head = offer();
    offer();
    workOn(this::backOff);
    Delivery beside = offer(8);
    assertCounts(1, 2);
    assertThat(beside.skip()).isTrue();
    assertCounts(0, 2);
    tracker.takeBack();

    assertCounts(0, 0);
    Delivery later = new Delivery(Deliveries.record(5, "key"), issueElsewhere(), load, 0);
    scheduler.offer(later, LANE);
    assertCounts(0, 1);

    scheduler.resume(head);
    assertCounts(1, 0);
    workOff();
    assertCounts(0, 0);
  }

  @Test
  void aHeadThatIsSkippedWhileItRestsLetsTheOthersGoOn() {
    Delivery head = offer();
    offer();
    workOn(this::backOff);

    assertThat(head.skip()).isTrue();
    assertThat(head.unparks()).isTrue();
    assertCounts(0, 1);
    scheduler.resume(head);

    assertCounts(1, 0);
    workOff();
    assertCounts(0, 0);
  }

  /** It is to be skipped, or its partition leaves, just when it would wait. */
  @Test
  void aLaneWhoseHeadDoesNotWaitAfterAllGoesOn() {
    Delivery head = offer();
    offer();
    workOn(
        delivery -> {
          delivery.ticket().start();
          delivery.skip();
          return backOffStarted(delivery);
        });

    assertThat(head.ticket().isSkipped()).isTrue();
    assertCounts(1, 0);
    workOff();
    assertCounts(0, 0);
  }

  @Test
  void whereLanesDoNotRestAllTakesRoom() {
    scheduler = scheduler(false);
    Delivery head = offer();
    offer();
    workOn(this::backOff);

    assertCounts(2, 0);
    offer();
    assertCounts(3, 0);
    scheduler.resume(head);
    workOff();
    assertCounts(0, 0);
  }

  private LaneScheduler scheduler(boolean lanesRest) {
    return new LaneScheduler(100, new Counted(), Permits.threads(), lanesRest);
  }

  private Delivery offer() {
    return offer(LANE);
  }

  private Delivery offer(long lane) {
    Delivery delivery =
        new Delivery(
            Deliveries.record(next, "key"),
            Objects.requireNonNull(tracker.issue(next++, -1)),
            load,
            0);
    scheduler.offer(delivery, lane);
    return delivery;
  }

  private static OffsetTicket issueElsewhere() {
    return Objects.requireNonNull(
        new OffsetTracker(new TopicPartition("topic", 0), CompletedAhead.NONE).issue(5, -1));
  }

  /** Works on the lane that has been ready for longest; the others stay ready. */
  private void workOn(DeliveryProcessor processor) {
    Lane lane = Objects.requireNonNull(scheduler.take());
    if (scheduler.workOn(lane, processor)) {
      scheduler.giveBack(lane);
    }
  }

  private void workOff() {
    List<Long> handled = new ArrayList<>();
    for (Lane lane = scheduler.take(); lane != null; lane = scheduler.take()) {
      while (scheduler.workOn(
          lane,
          delivery -> {
            if (delivery.ticket().start()) {
              delivery.ticket().complete();
              handled.add(delivery.ticket().offset());
            }
            return Progress.ENDED;
          })) {}
    }
    assertThat(handled).isNotEmpty();
  }

  private Progress backOff(Delivery delivery) {
    delivery.ticket().start();
    return backOffStarted(delivery);
  }

  private Progress backOffStarted(Delivery delivery) {
    delivery.nextAttempt(0, 0);
    delivery.waitsFor(new Waiting.ForRetry(1_000, "Failure"));
    return delivery.rests() == Rest.WAITS ? Progress.PARKED : Progress.ENDED;
  }

  private void assertCounts(int inChannel, int resting) {
    InFlight inFlight = scheduler.inFlight();
    assertThat(inFlight.inChannel()).as("in the channel").isEqualTo(inChannel);
    assertThat(inFlight.resting()).as("at rest").isEqualTo(resting);
    assertThat(inFlight.records()).isEqualTo(inChannel + resting);
    assertThat(load.inChannel()).as("of the partition").isEqualTo(inChannel);
    assertThat(load.records()).isEqualTo(inChannel + resting);
    assertThat(load.bytes()).isEqualTo(inFlight.bytes());
    assertThat(inFlight.bytes() > 0).isEqualTo(inChannel + resting > 0);
  }

  /** Counts how often somebody is woken before a record ends. */
  private final class Counted implements PollThreadSignal {
    @Override
    public boolean await(
        BooleanSupplier condition, BooleanSupplier worthWaking, long deadlineNanos) {
      throw new IllegalStateException("Nobody waits here.");
    }

    @Override
    public void raise() {
      raised.incrementAndGet();
    }
  }
}
