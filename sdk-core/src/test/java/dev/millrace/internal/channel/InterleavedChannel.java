package dev.millrace.internal.channel;

import static dev.millrace.Interleavings.require;

import dev.millrace.internal.channel.Delivery.Rest;
import dev.millrace.internal.channel.DeliveryProcessor.Progress;
import dev.millrace.internal.offset.CompletedAhead;
import dev.millrace.internal.offset.OffsetTracker;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.jspecify.annotations.Nullable;

/**
 * A channel in a scenario of interleavings: the deliveries of one partition, lanes numbered from 0,
 * and a check that each is handled alone in its lane, in order and no more at once than there are
 * permits.
 */
final class InterleavedChannel {
  private static final TopicPartition PARTITION = new TopicPartition("t", 0);
  private static final int LANES = 2;
  private static final int BYTES = 10;
  private static final Waiting BACK_OFF = new Waiting.ForRetry(0, "Failure");

  /** By lane; the offset is the ticket's to know. */
  private static final List<ConsumerRecord<byte[], byte[]>> RECORDS = List.of(record(0), record(1));

  final OffsetTracker tracker = new OffsetTracker(PARTITION, CompletedAhead.NONE);
  final LaneScheduler scheduler;
  final PartitionLoad load = new PartitionLoad();
  private final int most;
  private final AtomicInteger atWork = new AtomicInteger();
  private final AtomicReference<@Nullable Delivery> parked = new AtomicReference<>();

  // By lane: who holds the lane changes them.
  private final long[] last = {-1, -1};
  private final boolean[] busy = new boolean[LANES];

  private long offered;

  /**
   * @param most how many may be handled at the same time
   */
  InterleavedChannel(Permits permits, int most) {
    this.scheduler = new LaneScheduler(4, new NoSignal(), permits);
    this.most = most;
  }

  /** Returns a delivery that no lane has yet. */
  static Delivery polled() {
    OffsetTracker tracker = new OffsetTracker(PARTITION, CompletedAhead.NONE);
    return new Delivery(
        RECORDS.get(0), Objects.requireNonNull(tracker.issue(0, -1)), new PartitionLoad(), 0);
  }

  /** Poll thread. */
  Delivery offer(int lane) {
    long offset = offered++;
    Delivery delivery =
        new Delivery(RECORDS.get(lane), Objects.requireNonNull(tracker.issue(offset, -1)), load, 0);
    tracker.position(new OffsetAndMetadata(offered));
    scheduler.offer(delivery, lane);
    return delivery;
  }

  private static ConsumerRecord<byte[], byte[]> record(int lane) {
    return new ConsumerRecord<>(
        PARTITION.topic(),
        lane,
        0,
        0,
        TimestampType.CREATE_TIME,
        0,
        BYTES,
        null,
        new byte[BYTES],
        new RecordHeaders(),
        Optional.empty());
  }

  /** Worker, until it finds nothing to do. */
  void work(DeliveryProcessor processor) {
    for (Lane lane = scheduler.take(); lane != null; lane = scheduler.take()) {
      while (scheduler.workOn(lane, processor)) {}
    }
  }

  /** Worker: as one whose turn ends after the first. */
  void workOnce(DeliveryProcessor processor) {
    Lane lane = scheduler.take();
    if (lane != null && scheduler.workOn(lane, processor)) {
      scheduler.giveBack(lane);
    }
  }

  /** Handles a delivery, unless it was taken back. */
  Progress handle(Delivery delivery) {
    if (delivery.ticket().start()) {
      begin(delivery);
      end(delivery);
    }
    return Progress.ENDED;
  }

  /** Handles the first attempt, and leaves it to {@link #resumeParked} when the next one comes. */
  Progress failAtFirst(Delivery delivery) {
    if (delivery.attempt() > 1) {
      return handle(delivery);
    }
    delivery.nextAttempt(0, 0);
    parked.set(delivery);
    return Progress.PARKED;
  }

  /** As {@link #failAtFirst}, with a back-off. */
  Progress backOffAtFirst(Delivery delivery) {
    if (delivery.attempt() > 1) {
      return handle(delivery);
    }
    if (!delivery.ticket().start() || !backsOff(delivery)) {
      return Progress.ENDED;
    }
    parked.set(delivery);
    return Progress.PARKED;
  }

  /** Returns false when it was taken back. */
  static boolean backsOff(Delivery delivery) {
    delivery.nextAttempt(0, 0);
    delivery.waitsFor(BACK_OFF);
    return delivery.rests() == Rest.WAITS;
  }

  /** Leaves it to {@link #endParked} when it ends; the lane and the permit are held till then. */
  Progress leaveWorker(Delivery delivery) {
    require(delivery.ticket().start(), delivery.ticket().offset() + " was taken back");
    begin(delivery);
    parked.set(delivery);
    return Progress.RUNNING;
  }

  /** Any thread. Returns whether one was parked. */
  boolean resumeParked() {
    Delivery delivery = parked.getAndSet(null);
    if (delivery != null) {
      scheduler.resume(delivery);
    }
    return delivery != null;
  }

  /** Any thread. */
  void endParked() {
    Delivery delivery = parked.getAndSet(null);
    if (delivery != null) {
      end(delivery);
      scheduler.finish(delivery);
      scheduler.giveBackPermit();
    }
  }

  void begin(Delivery delivery) {
    int lane = delivery.record().partition();
    long offset = delivery.ticket().offset();
    require(!busy[lane], offset + " overlaps another one of its lane");
    require(last[lane] < offset, offset + " comes after " + last[lane]);
    require(atWork.incrementAndGet() <= most, offset + " is one too many");
    busy[lane] = true;
    last[lane] = offset;
  }

  void end(Delivery delivery) {
    busy[delivery.record().partition()] = false;
    atWork.decrementAndGet();
    delivery.ticket().complete();
  }

  /** Poll thread, at any time. */
  void requireBounds() {
    long records = scheduler.inFlight().records();
    require(records >= 0 && records <= offered, records + " in flight");
    int resting = scheduler.inFlight().resting();
    require(resting >= 0 && resting <= offered, resting + " at rest");
    require(load.records() >= 0 && load.records() <= offered, load.records() + " of the partition");
    require(load.bytes() >= 0 && load.bytes() <= offered * BYTES, load.bytes() + " bytes");
  }

  /** Poll thread, when nobody works any more: each has ended and nothing is left behind. */
  void requireAllHandled() {
    tracker.advance();
    require(tracker.oldestOpen() == -1, tracker.oldestOpen() + " was not handled");
    requireEmpty();
  }

  /** Poll thread, when nobody works any more. */
  void requireEmpty() {
    require(scheduler.take() == null, "an idle lane is ready");
    require(scheduler.inFlight().records() == 0, scheduler.inFlight().records() + " in flight");
    require(scheduler.inFlight().bytes() == 0, scheduler.inFlight().bytes() + " bytes in flight");
    require(scheduler.inFlight().resting() == 0, scheduler.inFlight().resting() + " at rest");
    require(load.inChannel() == 0, load.inChannel() + " of the partition in the channel");
    require(load.records() == 0, load.records() + " of the partition in flight");
    require(load.bytes() == 0, load.bytes() + " bytes of the partition in flight");
    require(scheduler.usedPermits().orElse(0) == 0, "a permit was not given back");
  }

  private static final class NoSignal implements PollThreadSignal {
    @Override
    public boolean await(
        BooleanSupplier condition, BooleanSupplier worthWaking, long deadlineNanos) {
      return condition.getAsBoolean();
    }

    @Override
    public void raise() {}
  }
}
