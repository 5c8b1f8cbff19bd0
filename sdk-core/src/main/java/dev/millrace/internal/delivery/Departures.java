package dev.millrace.internal.delivery;

import static dev.millrace.internal.channel.DeliveryProcessor.Progress.ENDED;
import static dev.millrace.internal.channel.DeliveryProcessor.Progress.PARKED;

import dev.millrace.internal.channel.Delivery;
import dev.millrace.internal.channel.DeliveryProcessor.Progress;
import dev.millrace.internal.channel.KeyPlace;
import dev.millrace.internal.channel.KeysAhead;
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
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends the records that leave: to the dead-letter topic, or to a retry topic.
 *
 * <p>Invariant: a record's ticket is completed only after the topic that it goes to has
 * acknowledged it, or in the transaction that holds it there; and where records follow their key,
 * the key is known to be ahead before the next one of its lane starts. A lane that rests may be
 * resumed before a method returns, so the delivery is not touched after that.
 */
final class Departures {
  private static final Logger LOG = LoggerFactory.getLogger(Departures.class);

  /** Shorter than the time between two looks at the retry topics. */
  private static final long ASK_AGAIN_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

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
      ConsumerMeters meters,
      SendOutages outages) {
    this.consumer = consumer;
    this.disposal = disposal;
    this.ends = ends;
    this.retries = retries;
    this.deadLetters = deadLetters;
    this.clock = clock;
    this.meters = meters;
    this.outages = outages;
  }

  /**
   * Worker, before the record may start. Has it follow its key, if that is ahead.
   *
   * @return null when it is to be handled where it is; else where the delivery stands
   */
  @Nullable Progress follow(Delivery delivery) {
    KeyPlace place = delivery.keyPlace();
    KeysAhead.Next next = place == null ? KeysAhead.Next.HANDLE : place.next();
    return switch (next) {
      case HANDLE -> null;
      case WAIT -> {
        delivery.waitsForKey(clock.nanos());
        yield disposal.rest(delivery, ASK_AGAIN_NANOS);
      }
      case FOLLOW -> {
        // Decided for good: if a send fails that has arrived, the key may come back meanwhile.
        delivery.leaves(
            Departure.following(delivery.level() + 1, delivery.attempt() - 1), clock.nanos());
        yield send(delivery);
      }
    };
  }

  /** Worker. Sends, or sends again, the record to the topic that it goes to. */
  Progress send(Delivery delivery) {
    Departure how = Objects.requireNonNull(delivery.departure());
    if (delivery.isSkipWanted()) {
      return disposal.skip(delivery, how.cause());
    }
    ConsumerRecord<byte[], byte[]> record = delivery.record();
    String topic = topic(record, how);
    long wait = outages.waitNanos(topic, clock.nanos());
    if (wait > 0) {
      return disposal.rest(delivery, wait);
    }
    ProducerRecord<byte[], byte[]> parting = parting(topic, delivery, how);
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
                      acknowledged(delivery, how, metadata, topic);
                    } else {
                      failed(delivery, how, unwrapped(failure), topic);
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

  private String topic(ConsumerRecord<byte[], byte[]> record, Departure how) {
    String source = retries.source(record.topic());
    return how.level() == 0 ? deadLetters().topic(source) : retries.topic(source, how.level());
  }

  private ProducerRecord<byte[], byte[]> parting(String topic, Delivery delivery, Departure how) {
    return how.level() == 0
        ? deadLetters().record(topic, delivery.record(), how)
        : RetryRecords.record(topic, delivery, how);
  }

  /** A future that hangs on another one wraps what that failed with. */
  private static Throwable unwrapped(Throwable failure) {
    return failure instanceof CompletionException && failure.getCause() != null
        ? failure.getCause()
        : failure;
  }

  /**
   * Worker. What it leaves as is an output like any other, and there exactly if the offset is. A
   * topic that can't be written would have the transaction aborted with all that is in it, so of
   * one that could not be, the brokers are asked first.
   */
  private Progress endWith(
      ProducerRecord<byte[], byte[]> parting, Delivery delivery, Departure how) {
    String topic = parting.topic();
    try {
      deadLetters().prepare(parting, outages.isOut(topic));
      ends.awaitTopic(delivery, topic);
    } catch (RuntimeException unavailable) {
      return putOff(delivery, how, unavailable, topic);
    }
    logSent(how, Disposal.place(delivery), "its transaction takes it to '" + topic + "'");
    return disposal.end(delivery, List.of(parting), () -> countSent(how));
  }

  /** Producer's I/O thread. */
  private void acknowledged(
      Delivery delivery, Departure how, RecordMetadata metadata, String topic) {
    outages.taken(topic);
    String place = Disposal.place(delivery);
    KeyPlace key = delivery.keyPlace();
    if (key != null && how.level() > 0) {
      // First: once the record has ended, the next one of its key may be handled.
      key.sent(metadata.hasOffset() ? metadata.offset() : KeysAhead.UNKNOWN);
    }
    if (delivery.ticket().complete()) {
      countSent(how);
    }
    disposal.finish(delivery);
    logSent(how, place, "it is in '" + topic + "' now");
  }

  private void countSent(Departure how) {
    if (how.level() == 0) {
      meters.deadLettered();
    } else if (how.followsKey()) {
      meters.followedKey();
    } else {
      meters.movedToRetryTopic();
    }
  }

  private void logSent(Departure how, String place, String where) {
    String end = how.followsKey() ? null : log.permit();
    if (end != null) {
      LOG.warn(
          "Consumer '{}' {} {} at attempt {}{}; {}{}.{}",
          consumer,
          how.level() == 0 ? "gave up on" : "failed at",
          place,
          how.attempts(),
          how.level() == 0 ? " (" + how.gaveUp() + ")" : "",
          where,
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
    return Departure.isRefused(failure)
        ? refused(delivery, how, failure, topic)
        : putOff(delivery, how, failure, topic);
  }

  /**
   * As it is, the topic will never take it. What it takes is for a worker to send: this thread must
   * not wait.
   */
  private Progress refused(Delivery delivery, Departure how, Throwable failure, String topic) {
    countFailed(how);
    if (how.followsKey()) {
      delivery.stays(); // It has not failed; and what it was sent after has ended some day.
    } else if (how.level() > 0) {
      delivery.refuse(how.failure(), GaveUp.byRetryTopic(failure));
    } else if (failure instanceof RecordTooLargeException && deadLetters().canCut(how)) {
      delivery.leaves(how.cutMore(), clock.nanos());
    } else {
      // To skip the record is not ours to decide.
      return disposal.stop(delivery, failure);
    }
    String end = log.permit();
    if (end != null) {
      LOG.warn(
          "Consumer '{}' can't have {} in '{}' as it is ({}); {}.{}",
          consumer,
          Disposal.place(delivery),
          topic,
          Failures.text(failure),
          how.followsKey()
              ? "it waits for its key instead of following it"
              : how.level() > 0 ? "it is given up" : "it leaves more of it out",
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
    long wait = outages.failed(topic, failure, clock.nanos());
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
