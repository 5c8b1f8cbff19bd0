package dev.millrace.internal.delivery;

import static dev.millrace.internal.channel.DeliveryProcessor.Progress.ENDED;
import static dev.millrace.internal.channel.DeliveryProcessor.Progress.PARKED;

import dev.millrace.internal.channel.Delivery;
import dev.millrace.internal.channel.DeliveryProcessor.Progress;
import dev.millrace.internal.metrics.ConsumerMeters;
import dev.millrace.internal.time.EngineClock;
import dev.millrace.internal.time.LogThrottle;
import dev.millrace.internal.transaction.Departure;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends the records that leave: to the dead-letter topic, or to a retry topic.
 *
 * <p>Invariant: a record's ticket is completed only after the topic that it goes to has
 * acknowledged it, or in the transaction that holds it there. A lane that rests may be resumed
 * before a method returns, so the delivery is not touched after that.
 */
final class Departures {
  private static final Logger LOG = LoggerFactory.getLogger(Departures.class);

  private final String consumer;
  private final Disposal disposal;
  private final RecordEnds ends;
  private final RetryTopics retries;
  private final @Nullable DeadLetters deadLetters;
  private final EngineClock clock;
  private final ConsumerMeters meters;
  private final SendOutages outages;
  private final LogThrottle log = new LogThrottle();

  /**
   * @param deadLetters null when the consumer has neither dead letters nor retry topics
   */
  Departures(
      String consumer,
      Disposal disposal,
      RecordEnds ends,
      RetryTopics retries,
      @Nullable DeadLetters deadLetters,
      EngineClock clock,
      ConsumerMeters meters) {
    this.consumer = consumer;
    this.disposal = disposal;
    this.ends = ends;
    this.retries = retries;
    this.deadLetters = deadLetters;
    this.clock = clock;
    this.meters = meters;
    this.outages = new SendOutages(retries.levels());
  }

  SendOutages outages() {
    return outages;
  }

  /** Worker. Sends, or sends again, the record to the topic that it goes to. */
  Progress send(Delivery delivery) {
    Departure how = Objects.requireNonNull(delivery.departure());
    if (delivery.isSkipWanted()) {
      return disposal.skip(delivery, how.cause());
    }
    long wait = outages.of(how.level()).waitNanos(clock.nanos());
    if (wait > 0) {
      return disposal.rest(delivery, wait);
    }
    ConsumerRecord<byte[], byte[]> record = delivery.record();
    ProducerRecord<byte[], byte[]> parting = parting(delivery, how);
    if (ends.areTransactional()) {
      return endWith(parting, delivery, how);
    }
    var unused =
        deadLetters()
            .send(parting)
            .whenComplete(
                (metadata, failure) -> {
                  try {
                    if (failure == null) {
                      acknowledged(delivery, how, parting.topic());
                    } else {
                      failed(delivery, how, unwrapped(failure), parting.topic());
                    }
                  } catch (
                      Throwable bug) { // The future would swallow it, and the lane stay parked.
                    disposal.bug(record, bug);
                  }
                });
    return PARKED;
  }

  private DeadLetters deadLetters() {
    if (deadLetters == null) {
      throw new IllegalStateException("No topic is configured for records that have failed.");
    }
    return deadLetters;
  }

  private ProducerRecord<byte[], byte[]> parting(Delivery delivery, Departure how) {
    ConsumerRecord<byte[], byte[]> record = delivery.record();
    String source = retries.source(record.topic());
    return how.level() == 0
        ? deadLetters().record(deadLetters().topic(source), record, how)
        : RetryRecords.record(retries.topic(source, how.level()), delivery, how);
  }

  /** A future that hangs on another one wraps what that failed with. */
  private static Throwable unwrapped(Throwable failure) {
    return failure instanceof CompletionException && failure.getCause() != null
        ? failure.getCause()
        : failure;
  }

  /** Worker. What it leaves as is an output like any other, and there exactly if the offset is. */
  private Progress endWith(
      ProducerRecord<byte[], byte[]> parting, Delivery delivery, Departure how) {
    String topic = parting.topic();
    try {
      deadLetters().prepare(parting);
      ends.awaitTopic(delivery, topic);
    } catch (RuntimeException unavailable) {
      return putOff(delivery, how, unavailable, topic);
    }
    outages.of(how.level()).succeeded();
    logSent(how, Disposal.place(delivery), topic);
    return disposal.end(delivery, List.of(parting), () -> countSent(how));
  }

  /** Producer's I/O thread. */
  private void acknowledged(Delivery delivery, Departure how, String topic) {
    outages.of(how.level()).succeeded();
    String place = Disposal.place(delivery);
    if (delivery.ticket().complete()) {
      countSent(how);
    }
    disposal.finish(delivery);
    logSent(how, place, topic);
  }

  private void countSent(Departure how) {
    if (how.level() == 0) {
      meters.deadLettered();
    } else {
      meters.movedToRetryTopic();
    }
  }

  private void logSent(Departure how, String place, String topic) {
    String end = log.permit();
    if (end != null) {
      LOG.warn(
          "Consumer '{}' {} {} at attempt {}{}; it is in '{}' now{}.{}",
          consumer,
          how.level() == 0 ? "gave up on" : "failed at",
          place,
          how.attempts(),
          how.level() == 0 ? " (" + how.gaveUp() + ")" : "",
          topic,
          how.cut() == 0 ? "" : ", without " + Trimming.named(how.cut()),
          end,
          how.cause());
    }
  }

  /** Producer's I/O thread, or the worker's own. The record is neither dropped nor passed. */
  private void failed(Delivery delivery, Departure how, Throwable failure, String topic) {
    if (whatFollows(delivery, how, failure, topic) == ENDED) {
      disposal.finish(delivery);
    }
  }

  private Progress whatFollows(Delivery delivery, Departure how, Throwable failure, String topic) {
    if (delivery.isSkipWanted()) {
      countFailed(how);
      return disposal.skip(delivery, failure);
    }
    return failure instanceof RecordTooLargeException
        ? tooLarge(delivery, how, failure, topic)
        : putOff(delivery, how, failure, topic);
  }

  /** As it is, it will never fit. What does is for a worker to send: this thread must not wait. */
  private Progress tooLarge(Delivery delivery, Departure how, Throwable failure, String topic) {
    countFailed(how);
    if (how.level() > 0) {
      delivery.refuse(how.cause());
    } else if (deadLetters().canCut(how)) {
      delivery.leaves(how.cutMore(), clock.nanos());
    } else {
      // To skip the record is not ours to decide.
      return disposal.stop(delivery, failure);
    }
    String end = log.permit();
    if (end != null) {
      LOG.warn(
          "Consumer '{}' finds {} too large for '{}' ({}); {}.{}",
          consumer,
          Disposal.place(delivery),
          topic,
          Failures.text(failure),
          how.level() > 0 ? "it is given up" : "it leaves more of it out",
          end);
    }
    return disposal.rest(delivery, 0);
  }

  private void countFailed(Departure how) {
    if (how.level() == 0) {
      meters.deadLetterFailed();
    } else {
      meters.retryTopicFailed();
    }
  }

  private Progress putOff(Delivery delivery, Departure how, Throwable failure, String topic) {
    countFailed(how);
    long wait = outages.of(how.level()).failed(clock.nanos(), failure);
    String end = log.permit();
    if (end != null) {
      LOG.warn(
          "Consumer '{}' could not write {} of {} to '{}': {}. It tries again in {}"
              + " ms; until it succeeds, the partition's committed offset stays.{}",
          consumer,
          how.level() == 0 ? "the dead letter" : "the retry record",
          Disposal.place(delivery),
          topic,
          Failures.text(failure),
          TimeUnit.NANOSECONDS.toMillis(wait),
          end);
    }
    return disposal.rest(delivery, wait);
  }
}
