package dev.millrace.internal.delivery;

import static dev.millrace.internal.channel.DeliveryProcessor.Progress.ENDED;
import static dev.millrace.internal.channel.DeliveryProcessor.Progress.PARKED;

import dev.millrace.internal.channel.Delivery;
import dev.millrace.internal.channel.DeliveryProcessor;
import dev.millrace.internal.channel.DeliveryProcessor.Progress;
import dev.millrace.internal.channel.Parking;
import dev.millrace.internal.metrics.ConsumerMeters;
import dev.millrace.internal.time.DelayTimer;
import dev.millrace.internal.transaction.RecordEnd.Effect;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The ways in which whoever works on a record gets it off his hands: it ends, it rests, or it stops
 * the consumer. All methods answer what {@link DeliveryProcessor#process} must. Any thread.
 */
final class Disposal {
  private static final Logger LOG = LoggerFactory.getLogger(Disposal.class);

  private final String consumer;
  private final Parking parking;
  private final RecordEnds ends;
  private final DelayTimer timer;
  private final ConsumerMeters meters;
  private final BiConsumer<ConsumerRecord<byte[], byte[]>, Throwable> onStop;

  /**
   * @param parking told of each delivery for which a method answered that it is parked
   * @param onStop told of the record that stops the consumer; must not block
   */
  Disposal(
      String consumer,
      Parking parking,
      RecordEnds ends,
      DelayTimer timer,
      ConsumerMeters meters,
      BiConsumer<ConsumerRecord<byte[], byte[]>, Throwable> onStop) {
    this.consumer = consumer;
    this.parking = parking;
    this.ends = ends;
    this.timer = timer;
    this.meters = meters;
    this.onStop = onStop;
  }

  /** Ends a record that runs; counts it if it was not taken back. */
  Progress end(Delivery delivery, List<ProducerRecord<byte[], byte[]>> outputs, Runnable count) {
    ConsumerRecord<byte[], byte[]> record = delivery.record();
    Effect effect =
        ends.end(delivery, outputs, completed -> endedLater(delivery, record, completed, count));
    if (effect == Effect.COMPLETED) {
      count.run();
    }
    return effect == Effect.LATER ? PARKED : ENDED;
  }

  /** Whoever opens the transaction that the end has waited for. */
  private void endedLater(
      Delivery delivery, ConsumerRecord<byte[], byte[]> record, boolean completed, Runnable count) {
    try {
      if (completed) {
        count.run();
      }
      parking.finish(delivery);
    } catch (Throwable bug) { // The slice's thread would swallow it, and the lane stay parked.
      bug(record, bug);
    }
  }

  /**
   * Ends a record that runs and has failed, since the user wants it skipped.
   *
   * @param cause null when it was to follow its key, so that its handler was not called
   */
  Progress skip(Delivery delivery, @Nullable Throwable cause) {
    LOG.warn("Consumer '{}' passes over {}, as it was told.", consumer, place(delivery), cause);
    return end(delivery, List.of(), meters::skipped);
  }

  /** Poll thread, which has ended the delivery while it waited. */
  void skipped(Delivery delivery) {
    meters.skipped();
    resume(delivery);
  }

  /** As {@link #rest(Delivery, Consumer)}, for so long. */
  Progress rest(Delivery delivery, long nanos) {
    return rest(delivery, resume -> timer.after(nanos, resume));
  }

  /**
   * Has the delivery's lane rest, unless its partition leaves or it is to be skipped: then the
   * delivery has ended.
   *
   * @param until given what ends the rest
   */
  Progress rest(Delivery delivery, Consumer<Runnable> until) {
    switch (delivery.rests()) {
      case TAKEN_BACK -> {
        return ENDED;
      }
      case SKIPPED -> {
        meters.skipped();
        return ENDED;
      }
      case WAITS -> until.accept(() -> resume(delivery));
    }
    return PARKED;
  }

  /** Has a worker ask again for a delivery that is queued, since its handler may not start now. */
  Progress askAgain(Delivery delivery) {
    parking.resume(delivery);
    return PARKED;
  }

  private void resume(Delivery delivery) {
    if (delivery.unparks()) {
      parking.resume(delivery);
    }
  }

  /** Has a worker go on with the delivery, which some other thread has the attempt of. */
  Progress leaveToWorker(Delivery delivery) {
    if (!delivery.ticket().requeue()) {
      return ENDED;
    }
    parking.resume(delivery);
    return PARKED;
  }

  /** Who has been answered that the delivery is parked. */
  void finish(Delivery delivery) {
    parking.finish(delivery);
  }

  /** Stops the consumer; the record's offset stays for ever. */
  Progress stop(Delivery delivery, Throwable cause) {
    meters.stopped();
    ConsumerRecord<byte[], byte[]> record = delivery.record();
    // Not running any more, so that the close does not wait for it; the lane stays parked.
    boolean parked = delivery.ticket().requeue();
    onStop.accept(record, cause);
    return parked ? PARKED : ENDED;
  }

  /** Stops the consumer: nobody else would hear of it. */
  void bug(ConsumerRecord<byte[], byte[]> record, Throwable bug) {
    onStop.accept(record, bug);
  }

  static String place(Delivery delivery) {
    ConsumerRecord<byte[], byte[]> record = delivery.record();
    return record.topic() + "-" + record.partition() + "@" + record.offset();
  }
}
