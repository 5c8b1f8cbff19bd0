package dev.millrace.internal.delivery;

import static dev.millrace.internal.channel.DeliveryProcessor.Progress.ENDED;
import static dev.millrace.internal.channel.DeliveryProcessor.Progress.PARKED;

import dev.millrace.internal.channel.Delivery;
import dev.millrace.internal.channel.DeliveryProcessor;
import dev.millrace.internal.channel.DeliveryProcessor.Progress;
import dev.millrace.internal.channel.Parking;
import dev.millrace.internal.metrics.ConsumerMeters;
import dev.millrace.internal.time.DelayTimer;
import dev.millrace.internal.time.EngineClock;
import dev.millrace.internal.time.LogThrottle;
import dev.millrace.internal.transaction.RecordEnd.Effect;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries out an outcome: on the ticket, on the lane, on the dead-letter topic.
 *
 * <p>Invariant: a ticket is completed only after its handler has returned or its dead letter is
 * acknowledged. All methods answer what {@link DeliveryProcessor#process} must. A parked lane may
 * be resumed before they return, so the delivery is not touched after parking.
 */
final class Settlement {
  private static final Logger LOG = LoggerFactory.getLogger(Settlement.class);

  private final String consumer;
  private final Parking parking;
  private final RecordEnds ends;
  private final EngineClock clock;
  private final DelayTimer timer;
  private final @Nullable DeadLetters deadLetters;
  private final ConsumerMeters meters;
  private final BiConsumer<ConsumerRecord<byte[], byte[]>, Throwable> onStop;
  private final DeadLetterOutage outage = new DeadLetterOutage();
  private final LogThrottle failureLog = new LogThrottle();
  private final LogThrottle deadLetterLog = new LogThrottle();

  /**
   * @param parking told of each delivery for which a method answered that it is parked
   * @param deadLetters null when the consumer has none
   * @param onStop told of the record that stops the consumer; must not block
   */
  Settlement(
      String consumer,
      Parking parking,
      RecordEnds ends,
      EngineClock clock,
      DelayTimer timer,
      @Nullable DeadLetters deadLetters,
      ConsumerMeters meters,
      BiConsumer<ConsumerRecord<byte[], byte[]>, Throwable> onStop) {
    this.consumer = consumer;
    this.parking = parking;
    this.ends = ends;
    this.clock = clock;
    this.timer = timer;
    this.deadLetters = deadLetters;
    this.meters = meters;
    this.onStop = onStop;
  }

  DeadLetterOutage outage() {
    return outage;
  }

  /** Worker. */
  Progress settle(Delivery delivery, Outcome outcome) {
    if (outcome instanceof Outcome.Handled handled) {
      return end(delivery, handled.outputs(), meters::handled);
    }
    if (outcome instanceof Outcome.Duplicate) {
      if (delivery.ticket().complete()) {
        meters.duplicate();
      }
      return ENDED;
    }
    Throwable failure = failure(outcome);
    if (failure != null && delivery.isSkipWanted()) {
      return skipAsTold(delivery, failure);
    }
    if (outcome instanceof Outcome.RetryLater retry) {
      return retryLater(delivery, retry);
    }
    if (outcome instanceof Outcome.DeadLetter deadLetter) {
      delivery.deadLetter(deadLetter.cause(), clock.nanos());
      return sendDeadLetter(delivery, deadLetter.cause());
    }
    if (outcome instanceof Outcome.Skip skip) {
      return skip(delivery, skip.cause());
    }
    if (outcome instanceof Outcome.Stop stop) {
      return stop(delivery, stop.cause());
    }
    return ENDED; // Abandoned
  }

  /**
   * Whoever completes a handler's stage. It may be a thread that must not wait, as a send of a dead
   * letter may: that is left to a worker.
   */
  Progress settleOutsideOfWorker(Delivery delivery, Outcome outcome) {
    if (outcome instanceof Outcome.DeadLetter deadLetter && !delivery.isSkipWanted()) {
      delivery.deadLetter(deadLetter.cause(), clock.nanos());
      if (!delivery.ticket().requeue()) {
        return ENDED;
      }
      parking.resume(delivery);
      return PARKED;
    }
    return settle(delivery, outcome);
  }

  /** Ends a record that runs; counts it if it was not taken back. */
  private Progress end(
      Delivery delivery, List<ProducerRecord<byte[], byte[]>> outputs, Runnable count) {
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
      onStop.accept(record, bug);
    }
  }

  private Progress retryLater(Delivery delivery, Outcome.RetryLater retry) {
    meters.retried();
    logFailure(delivery, retry);
    delivery.nextAttempt();
    delivery.waitsForRetry(clock.nanos() + retry.delayNanos(), retry.cause());
    return park(delivery, retry.delayNanos());
  }

  /**
   * Has the delivery's lane rest, unless its partition leaves or it is to be skipped: then the
   * delivery has ended.
   */
  Progress park(Delivery delivery, long nanos) {
    switch (delivery.rests()) {
      case TAKEN_BACK -> {
        return ENDED;
      }
      case SKIPPED -> {
        meters.skipped();
        return ENDED;
      }
      case WAITS -> timer.after(nanos, () -> resume(delivery));
    }
    return PARKED;
  }

  private void resume(Delivery delivery) {
    if (delivery.unparks()) {
      parking.resume(delivery);
    }
  }

  /** Poll thread, which has ended the delivery while it waited. */
  void skipped(Delivery delivery) {
    meters.skipped();
    resume(delivery);
  }

  private static @Nullable Throwable failure(Outcome outcome) {
    if (outcome instanceof Outcome.RetryLater retry) {
      return retry.cause();
    }
    if (outcome instanceof Outcome.DeadLetter deadLetter) {
      return deadLetter.cause();
    }
    return outcome instanceof Outcome.Stop stop ? stop.cause() : null;
  }

  private Progress skipAsTold(Delivery delivery, Throwable cause) {
    LOG.warn("Consumer '{}' passes over {}, as it was told.", consumer, place(delivery), cause);
    return end(delivery, List.of(), meters::skipped);
  }

  /** Sends, or sends again, the record's dead letter. */
  Progress sendDeadLetter(Delivery delivery, Throwable cause) {
    if (delivery.isSkipWanted()) {
      return skipAsTold(delivery, cause);
    }
    long wait = outage.waitNanos(clock.nanos());
    if (wait > 0) {
      return park(delivery, wait);
    }
    ConsumerRecord<byte[], byte[]> record = delivery.record();
    String topic = deadLetters().topic(record.topic());
    if (ends.areTransactional()) {
      return endWithDeadLetter(delivery, cause, topic);
    }
    var unused =
        deadLetters()
            .send(topic, record, delivery.attempt(), cause)
            .whenComplete(
                (metadata, failure) -> {
                  try {
                    if (failure == null) {
                      deadLetterAcknowledged(delivery, cause, topic);
                    } else {
                      deadLetterFailed(delivery, failure, topic);
                    }
                  } catch (
                      Throwable bug) { // The future would swallow it, and the lane stay parked.
                    onStop.accept(record, bug);
                  }
                });
    return PARKED;
  }

  private DeadLetters deadLetters() {
    if (deadLetters == null) {
      throw new IllegalStateException("No dead-letter topic is configured.");
    }
    return deadLetters;
  }

  /** Worker. The dead letter is an output like any other, and there exactly if the offset is. */
  private Progress endWithDeadLetter(Delivery delivery, Throwable cause, String topic) {
    ConsumerRecord<byte[], byte[]> record = delivery.record();
    ProducerRecord<byte[], byte[]> deadLetter =
        deadLetters().record(topic, record, delivery.attempt(), cause);
    try {
      deadLetters().prepare(deadLetter);
      ends.awaitTopic(record, topic);
    } catch (RuntimeException unavailable) {
      return deadLetterPutOff(delivery, unavailable, topic);
    }
    outage.succeeded();
    logDeadLetter(place(delivery), delivery.attempt(), topic, cause);
    return end(delivery, List.of(deadLetter), meters::deadLettered);
  }

  /** Producer's I/O thread. */
  private void deadLetterAcknowledged(Delivery delivery, Throwable cause, String topic) {
    outage.succeeded();
    String place = place(delivery);
    int attempt = delivery.attempt();
    if (delivery.ticket().complete()) {
      meters.deadLettered();
    }
    parking.finish(delivery);
    logDeadLetter(place, attempt, topic, cause);
  }

  private void logDeadLetter(String place, int attempt, String topic, Throwable cause) {
    String end = deadLetterLog.permit();
    if (end != null) {
      LOG.warn(
          "Consumer '{}' gave up on {} at attempt {}; it is in '{}' now.{}",
          consumer,
          place,
          attempt,
          topic,
          end,
          cause);
    }
  }

  /** Producer's I/O thread, or the worker's own. The record is neither dropped nor passed. */
  private void deadLetterFailed(Delivery delivery, Throwable failure, String topic) {
    if (delivery.isSkipWanted()) {
      meters.deadLetterFailed();
      if (skipAsTold(delivery, failure) == ENDED) {
        parking.finish(delivery);
      }
      return;
    }
    if (failure instanceof RecordTooLargeException) {
      meters.deadLetterFailed();
      // No later attempt can succeed; to skip the record is not ours to decide.
      if (stop(delivery, failure) == ENDED) {
        parking.finish(delivery);
      }
      return;
    }
    if (deadLetterPutOff(delivery, failure, topic) == ENDED) {
      parking.finish(delivery);
    }
  }

  private Progress deadLetterPutOff(Delivery delivery, Throwable failure, String topic) {
    meters.deadLetterFailed();
    long wait = outage.failed(clock.nanos());
    String end = deadLetterLog.permit();
    if (end != null) {
      LOG.warn(
          "Consumer '{}' could not write the dead letter of {} to '{}': {}. It tries again in {}"
              + " ms; until it succeeds, the partition's committed offset stays.{}",
          consumer,
          place(delivery),
          topic,
          Failures.text(failure),
          TimeUnit.NANOSECONDS.toMillis(wait),
          end);
    }
    return park(delivery, wait);
  }

  private Progress skip(Delivery delivery, Throwable cause) {
    if (delivery.ticket().complete()) {
      meters.skipped();
    }
    String end = failureLog.permit();
    if (end != null) {
      LOG.warn(
          "Consumer '{}' failed at {} and passes over it, since it handles no record twice: {}{}",
          consumer,
          place(delivery),
          Failures.text(cause),
          end);
    }
    return ENDED;
  }

  private Progress stop(Delivery delivery, Throwable cause) {
    meters.stopped();
    ConsumerRecord<byte[], byte[]> record = delivery.record();
    // Not running any more, so that the close does not wait for it; the lane stays parked.
    boolean parked = delivery.ticket().requeue();
    onStop.accept(record, cause);
    return parked ? PARKED : ENDED;
  }

  private void logFailure(Delivery delivery, Outcome.RetryLater retry) {
    String end = failureLog.permit();
    if (end != null) {
      LOG.warn(
          "Consumer '{}' failed at {}, attempt {}: {}. The next one follows in {} ms.{}",
          consumer,
          place(delivery),
          delivery.attempt(),
          Failures.text(retry.cause()),
          TimeUnit.NANOSECONDS.toMillis(retry.delayNanos()),
          end);
    }
  }

  static String place(Delivery delivery) {
    ConsumerRecord<byte[], byte[]> record = delivery.record();
    return record.topic() + "-" + record.partition() + "@" + record.offset();
  }
}
