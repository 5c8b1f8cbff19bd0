package dev.millrace.internal.delivery;

import static dev.millrace.internal.channel.DeliveryProcessor.Progress.ENDED;

import dev.millrace.internal.channel.Delivery;
import dev.millrace.internal.channel.DeliveryProcessor;
import dev.millrace.internal.channel.DeliveryProcessor.Progress;
import dev.millrace.internal.channel.Parking;
import dev.millrace.internal.channel.Waiting;
import dev.millrace.internal.metrics.ConsumerMeters;
import dev.millrace.internal.time.DelayTimer;
import dev.millrace.internal.time.EngineClock;
import dev.millrace.internal.time.LogThrottle;
import dev.millrace.internal.transaction.Departure;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries out an outcome: on the ticket, on the lane, or by sending the record elsewhere.
 *
 * <p>Invariant: a ticket is completed only after its handler has returned, or its dead letter or
 * retry record is acknowledged. All methods answer what {@link DeliveryProcessor#process} must. A
 * parked lane may be resumed before they return, so the delivery is not touched after parking.
 */
final class Settlement {
  private static final Logger LOG = LoggerFactory.getLogger(Settlement.class);

  private final String consumer;
  private final Disposal disposal;
  private final Departures departures;
  private final EngineClock clock;
  private final ConsumerMeters meters;
  private final LogThrottle failureLog = new LogThrottle();
  private final LogThrottle skipLog = new LogThrottle();

  /**
   * @param parking told of each delivery for which a method answered that it is parked
   * @param deadLetters null when the consumer has neither dead letters nor retry topics
   * @param onStop told of the record that stops the consumer; must not block
   */
  Settlement(
      String consumer,
      Parking parking,
      RecordEnds ends,
      RetryTopics retries,
      EngineClock clock,
      DelayTimer timer,
      @Nullable DeadLetters deadLetters,
      ConsumerMeters meters,
      SendOutages outages,
      BiConsumer<ConsumerRecord<byte[], byte[]>, Throwable> onStop) {
    this.consumer = consumer;
    this.disposal = new Disposal(consumer, parking, ends, timer, meters, onStop);
    this.departures =
        new Departures(consumer, disposal, ends, retries, deadLetters, clock, meters, outages);
    this.clock = clock;
    this.meters = meters;
  }

  /** Worker. Sends again the record that has not got to the topic that it goes to. */
  Progress send(Delivery delivery) {
    return departures.send(delivery);
  }

  /** As {@link Departures#follow}. */
  @Nullable Progress follow(Delivery delivery) {
    return departures.follow(delivery);
  }

  /** As {@link Disposal#rest(Delivery, long)}. */
  Progress rest(Delivery delivery, long nanos) {
    return disposal.rest(delivery, nanos);
  }

  /** As {@link Disposal#rest(Delivery, Consumer)}. */
  Progress rest(Delivery delivery, Consumer<Runnable> until) {
    return disposal.rest(delivery, until);
  }

  /** As {@link Disposal#skipped}. */
  void skipped(Delivery delivery) {
    disposal.skipped(delivery);
  }

  /** Worker. */
  Progress settle(Delivery delivery, Outcome outcome) {
    if (outcome instanceof Outcome.Handled handled) {
      return disposal.end(delivery, handled.outputs(), meters::handled);
    }
    if (outcome instanceof Outcome.Duplicate) {
      if (delivery.ticket().complete()) {
        meters.duplicate();
      }
      return ENDED;
    }
    if (outcome instanceof Outcome.PutOff) {
      return disposal.askAgain(delivery);
    }
    Throwable failure = outcome.cause();
    if (failure != null && delivery.isSkipWanted()) {
      return disposal.skip(delivery, failure);
    }
    if (outcome instanceof Outcome.RetryLater retry) {
      return retryLater(delivery, retry);
    }
    if (leaves(delivery, outcome)) {
      return departures.send(delivery);
    }
    if (outcome instanceof Outcome.Skip skip) {
      return skip(delivery, skip);
    }
    if (outcome instanceof Outcome.Stop stop) {
      LOG.warn(
          "Consumer '{}' gives up on {} at attempt {} ({}).",
          consumer,
          Disposal.place(delivery),
          delivery.attempt(),
          stop.why());
      return disposal.stop(delivery, stop.cause());
    }
    return ENDED; // Abandoned
  }

  /**
   * Whoever completes a handler's stage. It may be a thread that must not wait, as a send may: that
   * is left to a worker.
   */
  Progress settleOutsideOfWorker(Delivery delivery, Outcome outcome) {
    return leaves(delivery, outcome) ? disposal.leaveToWorker(delivery) : settle(delivery, outcome);
  }

  /** Notes where the record goes; false when it stays. */
  private boolean leaves(Delivery delivery, Outcome outcome) {
    if (outcome instanceof Outcome.DeadLetter deadLetter) {
      leaves(delivery, 0, deadLetter.cause(), deadLetter.why());
      return true;
    }
    if (outcome instanceof Outcome.RetryTopic topic) {
      delivery.failed(clock.now().toEpochMilli());
      leaves(delivery, topic.level(), topic.cause(), "");
      return true;
    }
    return false;
  }

  private void leaves(Delivery delivery, int level, Throwable cause, String gaveUp) {
    delivery.leaves(new Departure(cause, gaveUp, delivery.attempt(), level, 0), clock.nanos());
  }

  private Progress retryLater(Delivery delivery, Outcome.RetryLater retry) {
    meters.retried();
    logFailure(delivery, retry);
    delivery.nextAttempt(retry.sinceNanos(), clock.now().toEpochMilli());
    delivery.waitsFor(
        new Waiting.ForRetry(
            clock.nanos() + retry.delayNanos(), retry.cause().getClass().getName()));
    return disposal.rest(delivery, retry.delayNanos());
  }

  private Progress skip(Delivery delivery, Outcome.Skip skip) {
    String end = skipLog.permit();
    if (end != null) {
      LOG.warn(
          "Consumer '{}' failed at {}, attempt {} ({}), and passes over it: {}{}",
          consumer,
          Disposal.place(delivery),
          delivery.attempt(),
          skip.why(),
          Failures.text(skip.cause()),
          end);
    }
    return disposal.end(delivery, List.of(), meters::skipped);
  }

  private void logFailure(Delivery delivery, Outcome.RetryLater retry) {
    String end = failureLog.permit();
    if (end != null) {
      LOG.warn(
          "Consumer '{}' failed at {}, attempt {}: {}. The next one follows in {} ms.{}",
          consumer,
          Disposal.place(delivery),
          delivery.attempt(),
          Failures.text(retry.cause()),
          TimeUnit.NANOSECONDS.toMillis(retry.delayNanos()),
          end);
    }
  }
}
