package dev.millrace.internal.delivery;

import dev.millrace.config.BatchDefinition;
import dev.millrace.config.ConsumerDefinition;
import dev.millrace.consumer.FailureClassifier;
import dev.millrace.internal.channel.Batches;
import dev.millrace.internal.channel.Delivery;
import dev.millrace.internal.channel.DeliveryProcessor;
import dev.millrace.internal.channel.LaneScheduler;
import dev.millrace.internal.channel.Parking;
import dev.millrace.internal.idempotency.Idempotency;
import dev.millrace.internal.metrics.ConsumerMeters;
import dev.millrace.internal.start.StartGate;
import dev.millrace.internal.time.DelayTimer;
import dev.millrace.internal.time.EngineClock;
import java.util.function.BiConsumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.Deserializer;
import org.jspecify.annotations.Nullable;

/** What a consumer's workers do with a lane's head, whichever way its records are handled. */
public interface Pipeline extends DeliveryProcessor {

  /**
   * Joins the parts.
   *
   * @param deadLetters null when the definition has neither dead letters nor retry topics
   * @param starts null when handlers may start at any time
   * @param idempotency null when messages are handled each time they come
   * @param outages of the topics that failed records go to
   * @param classifier null when classes alone say which failures are worth another attempt
   * @param onStop told of the record that must stop the consumer; must not block
   */
  static <V> Pipeline of(
      ConsumerDefinition definition,
      Deserializer<V> deserializer,
      Handling<V> handling,
      LaneScheduler scheduler,
      EngineClock clock,
      DelayTimer timer,
      @Nullable DeadLetters deadLetters,
      ConsumerMeters meters,
      RecordEnds ends,
      SendOutages outages,
      @Nullable StartGate starts,
      @Nullable Idempotency idempotency,
      @Nullable FailureClassifier classifier,
      BiConsumer<ConsumerRecord<byte[], byte[]>, Throwable> onStop) {
    String name = definition.name();
    Recovery recovery =
        new Recovery(
            definition.retry(),
            new Classification(name, definition.retry().classes(), classifier),
            definition.deadLetter(),
            definition.onFailure(),
            clock);
    RetryTopics retries = new RetryTopics(definition);
    if (handling instanceof Handling.InBatches<V> inBatches) {
      BatchDefinition batch = definition.batch();
      Batches batches =
          new Batches(scheduler, clock, timer, batch.maxRecords(), batch.maxWait().toNanos());
      Settlement settlement =
          new Settlement(
              name, batches, ends, retries, clock, timer, deadLetters, meters, outages, onStop);
      return new BatchPipeline(
          new BatchCall<>(
              new ValueDecoder<>(deserializer), inBatches.handler(), recovery, meters, clock, ends),
          settlement,
          starts,
          claims(name, idempotency, settlement, recovery, batches, clock, timer, meters),
          batches,
          meters,
          clock);
    }
    Settlement settlement =
        new Settlement(
            name, scheduler, ends, retries, clock, timer, deadLetters, meters, outages, onStop);
    return new DeliveryPipeline(
        new HandlerCall<>(
            new ValueDecoder<>(deserializer),
            (Handling.OneByOne<V>) handling,
            recovery,
            meters,
            clock,
            ends),
        settlement,
        starts,
        claims(name, idempotency, settlement, recovery, scheduler, clock, timer, meters),
        scheduler,
        meters,
        clock,
        onStop);
  }

  private static @Nullable MessageClaims claims(
      String name,
      @Nullable Idempotency idempotency,
      Settlement settlement,
      Recovery recovery,
      Parking parking,
      EngineClock clock,
      DelayTimer timer,
      ConsumerMeters meters) {
    return idempotency == null
        ? null
        : new MessageClaims(
            name, idempotency, settlement, recovery, parking, clock, timer, meters.idempotency());
  }

  /**
   * Poll thread, which has ended a waiting delivery by {@link Delivery#skip}: counts it, and has
   * its lane go on.
   */
  void skipped(Delivery delivery);

  /** No more records come for now: what waits for them is handled without. Any thread. */
  default void stopWaiting() {}
}
