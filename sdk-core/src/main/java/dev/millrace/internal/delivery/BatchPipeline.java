package dev.millrace.internal.delivery;

import dev.millrace.internal.channel.Batches;
import dev.millrace.internal.channel.Delivery;
import dev.millrace.internal.metrics.ConsumerMeters;
import dev.millrace.internal.time.EngineClock;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A batch's way through a worker: gather → claim → decode → handle → an outcome for each → settle
 * each. Those that have not ended then come again, until all have. Any worker, one at a time per
 * lane.
 */
final class BatchPipeline implements Pipeline {
  private final BatchCall<?> call;
  private final Settlement settlement;
  private final @Nullable MessageClaims claims;
  private final Batches batches;
  private final ConsumerMeters meters;
  private final EngineClock clock;

  /**
   * @param settlement tells the batches what becomes of deliveries that it has parked
   * @param claims null when messages are handled each time they come
   */
  BatchPipeline(
      BatchCall<?> call,
      Settlement settlement,
      @Nullable MessageClaims claims,
      Batches batches,
      ConsumerMeters meters,
      EngineClock clock) {
    this.call = call;
    this.settlement = settlement;
    this.claims = claims;
    this.batches = batches;
    this.meters = meters;
    this.clock = clock;
  }

  @Override
  public Progress process(Delivery head) {
    if (head.hasEnded()) {
      return Progress.ENDED; // In a batch with others, or taken back.
    }
    List<Delivery> claimed = batches.beginRound(head);
    if (claimed == null) {
      return Progress.PARKED;
    }
    try {
      work(claimed);
    } catch (Throwable bug) {
      // The worker ends with it, and the consumer; the close must not wait for these records.
      claimed.forEach(delivery -> delivery.ticket().requeue());
      throw bug;
    }
    return batches.endRound(head);
  }

  @Override
  public void skipped(Delivery delivery) {
    settlement.skipped(delivery);
  }

  @Override
  public SendOutages outages() {
    return settlement.outages();
  }

  @Override
  public void stopWaiting() {
    batches.stopWaiting();
  }

  private void work(List<Delivery> claimed) {
    List<Delivery> attempts = new ArrayList<>(claimed.size());
    for (Delivery delivery : claimed) {
      Progress stands = beforeAttempt(delivery);
      if (stands == null) {
        attempts.add(delivery);
      } else {
        settled(delivery, stands);
      }
    }
    begin(attempts);
    call.attempt(attempts)
        .forEach((delivery, outcome) -> settled(delivery, settle(delivery, outcome)));
  }

  /** Returns null when the record is to be handled. */
  private @Nullable Progress beforeAttempt(Delivery delivery) {
    if (delivery.isSettling()) {
      return delivery.settle();
    }
    Throwable cause = delivery.leavesBecause();
    if (cause != null) {
      return settlement.send(delivery, cause);
    }
    return claims == null ? null : claims.begin(delivery);
  }

  private Progress settle(Delivery delivery, Outcome outcome) {
    return claims == null ? settlement.settle(delivery, outcome) : claims.settle(delivery, outcome);
  }

  private void begin(List<Delivery> attempts) {
    long now = clock.nanos();
    for (Delivery delivery : attempts) {
      delivery.runs(now);
      if (delivery.attemptInPlace() == 1) {
        meters.queueWait(now - delivery.queuedNanos());
      }
    }
  }

  private void settled(Delivery delivery, Progress progress) {
    if (progress == Progress.ENDED) {
      batches.finish(delivery);
    }
  }
}
