package dev.millrace.internal.delivery;

import dev.millrace.internal.channel.Delivery;
import dev.millrace.internal.channel.LaneScheduler;
import dev.millrace.internal.channel.Waiting;
import dev.millrace.internal.metrics.ConsumerMeters;
import dev.millrace.internal.start.Pass;
import dev.millrace.internal.start.StartGate;
import dev.millrace.internal.time.EngineClock;
import java.util.List;
import java.util.function.BiConsumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/**
 * A record's way through a worker: does it follow its key → may it start → claim → decode → handle
 * → outcome → settle. Any worker, one at a time per lane.
 */
final class DeliveryPipeline implements Pipeline {
  private final HandlerCall<?> call;
  private final Settlement settlement;
  private final @Nullable StartGate starts;
  private final @Nullable MessageClaims claims;
  private final LaneScheduler scheduler;
  private final ConsumerMeters meters;
  private final EngineClock clock;
  private final BiConsumer<ConsumerRecord<byte[], byte[]>, Throwable> onStop;

  /**
   * Joins the parts.
   *
   * @param settlement tells the scheduler what becomes of deliveries that it has parked
   * @param starts null when handlers may start at any time
   * @param claims null when messages are handled each time they come
   * @param onStop told of the record that must stop the consumer; must not block
   */
  DeliveryPipeline(
      HandlerCall<?> call,
      Settlement settlement,
      @Nullable StartGate starts,
      @Nullable MessageClaims claims,
      LaneScheduler scheduler,
      ConsumerMeters meters,
      EngineClock clock,
      BiConsumer<ConsumerRecord<byte[], byte[]>, Throwable> onStop) {
    this.call = call;
    this.settlement = settlement;
    this.starts = starts;
    this.claims = claims;
    this.scheduler = scheduler;
    this.meters = meters;
    this.clock = clock;
    this.onStop = onStop;
  }

  @Override
  public Progress process(Delivery delivery) {
    boolean settling = delivery.isSettling();
    if (!settling && !delivery.ticket().start()) {
      if (starts != null) {
        starts.callUp(); // It may have been called up, and another one waits.
      }
      return Progress
          .ENDED; // Taken back while it waited: its partition is gone, or the consumer closes.
    }
    try {
      return settling ? delivery.settle() : work(delivery);
    } catch (Throwable bug) {
      // The worker ends with it, and the consumer; the close must not wait for this record.
      delivery.ticket().requeue();
      throw bug;
    }
  }

  @Override
  public void skipped(Delivery delivery) {
    settlement.skipped(delivery);
  }

  private Progress work(Delivery delivery) {
    if (delivery.departure() != null) {
      return settlement.send(delivery);
    }
    Progress stands = settlement.follow(delivery);
    if (stands != null) {
      return stands;
    }
    if (starts == null || delivery.givenUp() != null) { // No handler is called for what is refused.
      return attempt(delivery, null);
    }
    Pass pass = starts.enter(delivery, 1);
    return pass == null ? waitToStart(delivery, starts) : attempt(delivery, pass);
  }

  private Progress waitToStart(Delivery delivery, StartGate starts) {
    Waiting.ForStart place = starts.place(delivery);
    delivery.waitsFor(place);
    Progress stands =
        settlement.rest(delivery, resume -> starts.await(place, List.of(delivery), resume));
    if (stands == Progress.ENDED) {
      starts.callUp();
    }
    return stands;
  }

  private Progress attempt(Delivery delivery, @Nullable Pass pass) {
    Progress stands = claims == null ? null : claims.begin(delivery);
    if (stands != null) {
      if (pass != null) {
        pass.unused();
      }
      return stands;
    }
    long now = clock.nanos();
    delivery.runs(now);
    if (delivery.tries().inPlace() == 1) {
      meters.queueWait(now - delivery.queuedNanos());
    }
    ConsumerRecord<byte[], byte[]> record = delivery.record();
    Outcome outcome =
        call.attempt(delivery, pass, later -> endedOutsideOfWorker(delivery, record, later));
    return outcome == null ? Progress.RUNNING : settle(delivery, outcome);
  }

  private Progress settle(Delivery delivery, Outcome outcome) {
    return claims == null ? settlement.settle(delivery, outcome) : claims.settle(delivery, outcome);
  }

  private Progress settleOutsideOfWorker(Delivery delivery, Outcome outcome) {
    return claims == null
        ? settlement.settleOutsideOfWorker(delivery, outcome)
        : claims.settleOutsideOfWorker(delivery, outcome);
  }

  /** Whoever completes the handler's stage. */
  private void endedOutsideOfWorker(
      Delivery delivery, ConsumerRecord<byte[], byte[]> record, Outcome outcome) {
    try {
      if (settleOutsideOfWorker(delivery, outcome) == Progress.ENDED) {
        scheduler.finish(delivery);
      }
      scheduler.giveBackPermit();
    } catch (Throwable bug) { // The stage would swallow it, and the lane stay parked.
      onStop.accept(record, bug);
    }
  }
}
