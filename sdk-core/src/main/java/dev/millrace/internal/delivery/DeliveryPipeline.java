package dev.millrace.internal.delivery;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.internal.channel.Delivery;
import dev.millrace.internal.channel.DeliveryProcessor;
import dev.millrace.internal.channel.LaneScheduler;
import dev.millrace.internal.metrics.ConsumerMeters;
import dev.millrace.internal.time.DelayTimer;
import dev.millrace.internal.time.EngineClock;
import java.util.function.BiConsumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.Deserializer;
import org.jspecify.annotations.Nullable;

/**
 * A record's way through a worker: claim → decode → handle → outcome → settle. Any worker, one at a
 * time per lane.
 */
public final class DeliveryPipeline implements DeliveryProcessor {
  private final HandlerCall<?> call;
  private final Settlement settlement;
  private final LaneScheduler scheduler;
  private final ConsumerMeters meters;
  private final EngineClock clock;
  private final BiConsumer<ConsumerRecord<byte[], byte[]>, Throwable> onStop;

  /**
   * Joins the parts.
   *
   * @param deadLetters null when the definition has none
   * @param onStop told of the record that must stop the consumer; must not block
   */
  public <V> DeliveryPipeline(
      ConsumerDefinition definition,
      Deserializer<V> deserializer,
      Handling<V> handling,
      LaneScheduler scheduler,
      EngineClock clock,
      DelayTimer timer,
      @Nullable DeadLetters deadLetters,
      ConsumerMeters meters,
      BiConsumer<ConsumerRecord<byte[], byte[]>, Throwable> onStop) {
    this.call =
        new HandlerCall<>(
            deserializer,
            handling,
            new Recovery(definition.retry(), definition.deadLetter()),
            meters,
            clock);
    this.settlement =
        new Settlement(definition.name(), scheduler, clock, timer, deadLetters, meters, onStop);
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

  /** Returns whether the dead-letter topic can't be written, and since when. Any thread. */
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
    Outcome outcome = call.attempt(delivery, this::endedOutsideOfWorker);
    return outcome == null ? Progress.RUNNING : settlement.settle(delivery, outcome);
  }

  /** Whoever completes the handler's stage. */
  private void endedOutsideOfWorker(Delivery delivery, Outcome outcome) {
    ConsumerRecord<byte[], byte[]> record = delivery.record();
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
