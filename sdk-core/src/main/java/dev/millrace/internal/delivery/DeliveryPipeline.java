package dev.millrace.internal.delivery;

import dev.millrace.internal.channel.Delivery;
import dev.millrace.internal.channel.LaneScheduler;
import dev.millrace.internal.metrics.ConsumerMeters;
import dev.millrace.internal.time.EngineClock;
import java.util.function.BiConsumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * A record's way through a worker: claim → decode → handle → outcome → settle. Any worker, one at a
 * time per lane.
 */
final class DeliveryPipeline implements Pipeline {
  private final HandlerCall<?> call;
  private final Settlement settlement;
  private final LaneScheduler scheduler;
  private final ConsumerMeters meters;
  private final EngineClock clock;
  private final BiConsumer<ConsumerRecord<byte[], byte[]>, Throwable> onStop;

  /**
   * Joins the parts.
   *
   * @param settlement tells the scheduler what becomes of deliveries that it has parked
   * @param onStop told of the record that must stop the consumer; must not block
   */
  DeliveryPipeline(
      HandlerCall<?> call,
      Settlement settlement,
      LaneScheduler scheduler,
      ConsumerMeters meters,
      EngineClock clock,
      BiConsumer<ConsumerRecord<byte[], byte[]>, Throwable> onStop) {
    this.call = call;
    this.settlement = settlement;
    this.scheduler = scheduler;
    this.meters = meters;
    this.clock = clock;
    this.onStop = onStop;
  }

  @Override
  public Progress process(Delivery delivery) {
    if (!delivery.ticket().start()) {
      return Progress
          .ENDED; // Taken back while it waited: its partition is gone, or the consumer closes.
    }
    try {
      return work(delivery);
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

  @Override
  public DeadLetterOutage deadLetterOutage() {
    return settlement.outage();
  }

  private Progress work(Delivery delivery) {
    if (delivery.deadLetterCause() != null) {
      return settlement.sendDeadLetter(delivery, delivery.deadLetterCause());
    }
    long now = clock.nanos();
    delivery.runs(now);
    if (delivery.attempt() == 1) {
      meters.queueWait(now - delivery.queuedNanos());
    }
    ConsumerRecord<byte[], byte[]> record = delivery.record();
    Outcome outcome =
        call.attempt(delivery, later -> endedOutsideOfWorker(delivery, record, later));
    return outcome == null ? Progress.RUNNING : settlement.settle(delivery, outcome);
  }

  /** Whoever completes the handler's stage. */
  private void endedOutsideOfWorker(
      Delivery delivery, ConsumerRecord<byte[], byte[]> record, Outcome outcome) {
    try {
      if (settlement.settleOutsideOfWorker(delivery, outcome) == Progress.ENDED) {
        scheduler.finish(delivery);
      }
      scheduler.giveBackPermit();
    } catch (Throwable bug) { // The stage would swallow it, and the lane stay parked.
      onStop.accept(record, bug);
    }
  }
}
