package dev.millrace.internal.delivery;

import static dev.millrace.internal.channel.DeliveryProcessor.Progress.ENDED;
import static dev.millrace.internal.channel.DeliveryProcessor.Progress.PARKED;

import dev.millrace.internal.channel.Delivery;
import dev.millrace.internal.channel.DeliveryProcessor.Progress;
import dev.millrace.internal.metrics.ConsumerMeters;
import dev.millrace.internal.time.EngineClock;
import dev.millrace.internal.time.LogThrottle;
import java.util.List;
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
  Progress send(Delivery delivery, Throwable cause) {
    if (delivery.isSkipWanted()) {
      return disposal.skip(delivery, cause);
    }
    long wait = outages.of(delivery.leavesTo()).waitNanos(clock.nanos());
    if (wait > 0) {
      return disposal.rest(delivery, wait);
    }
    ConsumerRecord<byte[], byte[]> record = delivery.record();
    ProducerRecord<byte[], byte[]> parting = parting(delivery, cause);
    if (ends.areTransactional()) {
      return endWith(parting, delivery, cause);
    }
    var unused =
        deadLetters()
            .send(parting)
            .whenComplete(
                (metadata, failure) -> {
                  try {
                    if (failure == null) {
                      acknowledged(delivery, cause, parting.topic());
                    } else {
                      failed(delivery, failure, parting.topic());
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

  private ProducerRecord<byte[], byte[]> parting(Delivery delivery, Throwable cause) {
    ConsumerRecord<byte[], byte[]> record = delivery.record();
    String source = retries.source(record.topic());
    return delivery.leavesTo() == 0
        ? deadLetters().record(deadLetters().topic(source), record, delivery.attempt(), cause)
        : RetryRecords.record(retries.topic(source, delivery.leavesTo()), delivery, cause);
  }

  /** Worker. What it leaves as is an output like any other, and there exactly if the offset is. */
  private Progress endWith(
      ProducerRecord<byte[], byte[]> parting, Delivery delivery, Throwable cause) {
    String topic = parting.topic();
    try {
      deadLetters().prepare(parting);
      ends.awaitTopic(delivery, topic);
    } catch (RuntimeException unavailable) {
      return putOff(delivery, unavailable, topic);
    }
    boolean givenUp = delivery.leavesTo() == 0;
    outages.of(delivery.leavesTo()).succeeded();
    logSent(givenUp, Disposal.place(delivery), delivery.attempt(), topic, cause);
    return disposal.end(delivery, List.of(parting), () -> countSent(givenUp));
  }

  /** Producer's I/O thread. */
  private void acknowledged(Delivery delivery, Throwable cause, String topic) {
    outages.of(delivery.leavesTo()).succeeded();
    String place = Disposal.place(delivery);
    int attempt = delivery.attempt();
    boolean givenUp = delivery.leavesTo() == 0;
    if (delivery.ticket().complete()) {
      countSent(givenUp);
    }
    disposal.finish(delivery);
    logSent(givenUp, place, attempt, topic, cause);
  }

  private void countSent(boolean givenUp) {
    if (givenUp) {
      meters.deadLettered();
    } else {
      meters.movedToRetryTopic();
    }
  }

  private void logSent(boolean givenUp, String place, int attempt, String topic, Throwable cause) {
    String end = log.permit();
    if (end != null) {
      LOG.warn(
          "Consumer '{}' {} {} at attempt {}; it is in '{}' now.{}",
          consumer,
          givenUp ? "gave up on" : "failed at",
          place,
          attempt,
          topic,
          end,
          cause);
    }
  }

  /** Producer's I/O thread, or the worker's own. The record is neither dropped nor passed. */
  private void failed(Delivery delivery, Throwable failure, String topic) {
    if (whatFollows(delivery, failure, topic) == ENDED) {
      disposal.finish(delivery);
    }
  }

  private Progress whatFollows(Delivery delivery, Throwable failure, String topic) {
    if (delivery.isSkipWanted()) {
      countFailed(delivery);
      return disposal.skip(delivery, failure);
    }
    if (failure instanceof RecordTooLargeException) {
      countFailed(delivery);
      // No later attempt can succeed; to skip the record is not ours to decide.
      return disposal.stop(delivery, failure);
    }
    return putOff(delivery, failure, topic);
  }

  private void countFailed(Delivery delivery) {
    if (delivery.leavesTo() == 0) {
      meters.deadLetterFailed();
    } else {
      meters.retryTopicFailed();
    }
  }

  private Progress putOff(Delivery delivery, Throwable failure, String topic) {
    countFailed(delivery);
    long wait = outages.of(delivery.leavesTo()).failed(clock.nanos());
    String end = log.permit();
    if (end != null) {
      LOG.warn(
          "Consumer '{}' could not write {} of {} to '{}': {}. It tries again in {}"
              + " ms; until it succeeds, the partition's committed offset stays.{}",
          consumer,
          delivery.leavesTo() == 0 ? "the dead letter" : "the retry record",
          Disposal.place(delivery),
          topic,
          Failures.text(failure),
          TimeUnit.NANOSECONDS.toMillis(wait),
          end);
    }
    return disposal.rest(delivery, wait);
  }
}
