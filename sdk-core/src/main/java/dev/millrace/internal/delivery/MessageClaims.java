package dev.millrace.internal.delivery;

import static dev.millrace.internal.channel.DeliveryProcessor.Progress.PARKED;

import dev.millrace.errors.MessageTakenException;
import dev.millrace.errors.MissingMessageIdException;
import dev.millrace.idempotency.Begun;
import dev.millrace.idempotency.Claim;
import dev.millrace.internal.channel.Claimed;
import dev.millrace.internal.channel.Delivery;
import dev.millrace.internal.channel.DeliveryProcessor.Progress;
import dev.millrace.internal.channel.Parking;
import dev.millrace.internal.channel.Waiting;
import dev.millrace.internal.idempotency.Idempotency;
import dev.millrace.internal.metrics.IdempotencyMeters;
import dev.millrace.internal.time.DelayTimer;
import dev.millrace.internal.time.EngineClock;
import dev.millrace.internal.time.LogThrottle;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks the store before a handler is called, and tells it afterwards.
 *
 * <p>Invariant: a handler is called for a message only while the delivery's claim to it is granted;
 * and a record ends without its handler only when the store has said that its message is done. What
 * the store does not know is put back, and asked again; a handler that has returned is never called
 * again for that.
 */
final class MessageClaims {
  private static final Logger LOG = LoggerFactory.getLogger(MessageClaims.class);

  /** A message that another has is asked for again after as long as it was waited for already. */
  private static final long SHORTEST_WAIT = TimeUnit.MILLISECONDS.toNanos(20);

  private static final long LONGEST_WAIT = TimeUnit.SECONDS.toNanos(1);

  private final String consumer;
  private final Idempotency idempotency;
  private final Settlement settlement;
  private final Recovery recovery;
  private final Parking parking;
  private final EngineClock clock;
  private final DelayTimer timer;
  private final IdempotencyMeters meters;
  private final DeadLetterOutage outage = new DeadLetterOutage();
  private final LogThrottle storeLog = new LogThrottle();
  private final LogThrottle takenLog = new LogThrottle();

  MessageClaims(
      String consumer,
      Idempotency idempotency,
      Settlement settlement,
      Recovery recovery,
      Parking parking,
      EngineClock clock,
      DelayTimer timer,
      IdempotencyMeters meters) {
    this.consumer = consumer;
    this.idempotency = idempotency;
    this.settlement = settlement;
    this.recovery = recovery;
    this.parking = parking;
    this.clock = clock;
    this.timer = timer;
    this.meters = meters;
  }

  /**
   * Worker, with the delivery's ticket claimed, before its attempt.
   *
   * @return null when its handler is to be called; else where the delivery stands
   */
  @Nullable Progress begin(Delivery delivery) {
    if (delivery.givenUp() != null) {
      return null; // Its handler will not be called.
    }
    Claimed claimed = delivery.claimed();
    if (claimed == null) {
      Claim claim;
      long began = clock.nanos();
      try {
        claim = idempotency.claim(delivery.record());
      } catch (MissingMessageIdException missing) {
        return settlement.settle(delivery, recovery.giveUp(missing, GaveUp.NO_MESSAGE_ID));
      } catch (Throwable failure) { // The service's hook.
        return settlement.settle(delivery, recovery.after(Attempt.of(delivery, began), failure));
      }
      if (claim == null) {
        return null;
      }
      claimed = new Claimed(claim);
      delivery.claims(claimed);
    }
    return begin(delivery, claimed);
  }

  private @Nullable Progress begin(Delivery delivery, Claimed claimed) {
    long wait = outage.waitNanos(clock.nanos());
    if (wait > 0) {
      return putBack(delivery, wait, Waiting.ForMessage.STORE);
    }
    Begun begun;
    try {
      begun = idempotency.store().begin(claimed.claim());
    } catch (Throwable failure) {
      return putBack(delivery, failed(delivery, failure), Waiting.ForMessage.STORE);
    }
    outage.succeeded();
    if (begun instanceof Begun.Held held) {
      claimed.denied(false);
      return putBack(delivery, patience(delivery, held), Waiting.ForMessage.ANOTHER);
    }
    return begun instanceof Begun.Done
        ? settlement.settle(delivery, Outcome.Duplicate.INSTANCE)
        : null;
  }

  private long patience(Delivery delivery, Begun.Held held) {
    long waited = clock.nanos() - waitsSince(delivery);
    long left = Math.max(held.left().toNanos(), SHORTEST_WAIT);
    return Math.min(left, Math.max(SHORTEST_WAIT, Math.min(waited, LONGEST_WAIT)));
  }

  /** Worker. Carries out an outcome, and tells the store of it. */
  Progress settle(Delivery delivery, Outcome outcome) {
    Claimed claimed = delivery.claimed();
    if (claimed == null) {
      return settlement.settle(delivery, outcome);
    }
    if (outcome instanceof Outcome.Handled) {
      return done(delivery, claimed, outcome);
    }
    release(claimed.claim());
    if (!(outcome.cause() instanceof MessageTakenException taken)) {
      return settlement.settle(delivery, outcome);
    }
    if (claimed.isDenied()) {
      return settlement.settle(
          delivery, recovery.after(Attempt.of(delivery), contradiction(claimed.claim(), taken)));
    }
    claimed.denied(true);
    return putBack(delivery, SHORTEST_WAIT, Waiting.ForMessage.ANOTHER);
  }

  /** Who asks another store than ours would be told so for ever. */
  private IllegalStateException contradiction(Claim claim, MessageTakenException taken) {
    return new IllegalStateException(
        "Message '%s' of group '%s' was granted to consumer '%s' twice by its idempotency store (%s), and each time its handler was told: \"%s\" Give JdbcEffects.in the store that the KafkaFactory has."
            .formatted(
                claim.id(), claim.scope(), consumer, idempotency.store(), taken.getMessage()),
        taken);
  }

  /** Whoever completes a handler's stage, and must not wait for a store: a worker does. */
  Progress settleOutsideOfWorker(Delivery delivery, Outcome outcome) {
    Claimed claimed = delivery.claimed();
    if (claimed == null) {
      return settlement.settleOutsideOfWorker(delivery, outcome);
    }
    // Not put back: what is handled must be told to the store, even when its partition leaves.
    claimed.settleBy(its -> settle(its, outcome));
    parking.resume(delivery);
    return PARKED;
  }

  private Progress done(Delivery delivery, Claimed claimed, Outcome handled) {
    long wait = outage.waitNanos(clock.nanos());
    if (wait > 0) {
      return doneLater(delivery, claimed, handled, wait);
    }
    boolean known;
    try {
      known = idempotency.store().done(claimed.claim());
    } catch (Throwable failure) {
      return doneLater(delivery, claimed, handled, failed(delivery, failure));
    }
    outage.succeeded();
    if (!known) {
      taken(delivery, claimed.claim());
    }
    return settlement.settle(delivery, handled);
  }

  private Progress doneLater(Delivery delivery, Claimed claimed, Outcome handled, long wait) {
    delivery.waitsFor(new Waiting.ForMessage(waitsSince(delivery), Waiting.ForMessage.END));
    claimed.settleBy(its -> settle(its, handled));
    timer.after(wait, () -> parking.resume(delivery));
    return PARKED;
  }

  private Progress putBack(Delivery delivery, long wait, String why) {
    delivery.waitsFor(new Waiting.ForMessage(waitsSince(delivery), why));
    return settlement.rest(delivery, wait);
  }

  private long waitsSince(Delivery delivery) {
    return delivery.waiting() instanceof Waiting.ForMessage message
        ? message.sinceNanos()
        : clock.nanos();
  }

  private void release(Claim claim) {
    try {
      idempotency.store().release(claim);
    } catch (Throwable failure) { // Its lease ends by itself.
      meters.failed();
    }
  }

  /** Returns how long to wait. */
  private long failed(Delivery delivery, Throwable failure) {
    meters.failed();
    long wait = outage.failed(clock.nanos(), failure);
    String end = storeLog.permit();
    if (end != null) {
      LOG.warn(
          "Consumer '{}' gets no answer from its idempotency store for {}: {}. It asks again in {}"
              + " ms; until then the record is neither handled nor passed.{}",
          consumer,
          Disposal.place(delivery),
          Failures.text(failure),
          TimeUnit.NANOSECONDS.toMillis(wait),
          end);
    }
    return wait;
  }

  private void taken(Delivery delivery, Claim claim) {
    meters.taken();
    String end = takenLog.permit();
    if (end != null) {
      LOG.warn(
          "Consumer '{}' has handled {}, but another one took its message '{}' meanwhile: it may have"
              + " been handled twice. A longer 'idempotency.lease' than {} leaves the handler more"
              + " time.{}",
          consumer,
          Disposal.place(delivery),
          claim.id(),
          claim.lease(),
          end);
    }
  }
}
