package dev.millrace.internal.delivery;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.consumer.RecordHandler;
import dev.millrace.internal.channel.Delivery;
import dev.millrace.internal.channel.DeliveryProcessor;
import dev.millrace.internal.channel.LaneScheduler;
import dev.millrace.internal.metrics.ConsumerMeters;
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
  private final ConsumerMeters meters;

  /**
   * Joins the parts.
   *
   * @param deadLetters null when the definition has none
   * @param onStop told of the record that must stop the consumer; must not block
   */
  public <V> DeliveryPipeline(
      ConsumerDefinition definition,
      Deserializer<V> deserializer,
      RecordHandler<? super V> handler,
      LaneScheduler scheduler,
      DelayTimer timer,
      @Nullable DeadLetters deadLetters,
      ConsumerMeters meters,
      BiConsumer<ConsumerRecord<byte[], byte[]>, Throwable> onStop) {
    this.call =
        new HandlerCall<>(
            deserializer,
            handler,
            new Recovery(definition.retry(), definition.deadLetter()),
            meters);
    this.settlement =
        new Settlement(definition.name(), scheduler, timer, deadLetters, meters, onStop);
    this.meters = meters;
  }

  @Override
  public boolean process(Delivery delivery) {
    if (!delivery.ticket().start()) {
      return true; // Taken back while it waited: its partition is gone, or the consumer closes.
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

  private boolean work(Delivery delivery) {
    if (delivery.deadLetterCause() != null) {
      return settlement.sendDeadLetter(delivery, delivery.deadLetterCause());
    }
    long now = System.nanoTime();
    delivery.runs(now);
    if (delivery.attempt() == 1) {
      meters.queueWait(now - delivery.queuedNanos());
    }
    return settlement.settle(delivery, call.attempt(delivery));
  }
}
