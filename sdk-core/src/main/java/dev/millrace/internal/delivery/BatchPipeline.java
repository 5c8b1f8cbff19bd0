package dev.millrace.internal.delivery;

import dev.millrace.internal.channel.Batches;
import dev.millrace.internal.channel.Delivery;
import dev.millrace.internal.metrics.ConsumerMeters;
import dev.millrace.internal.time.EngineClock;
import java.util.ArrayList;
import java.util.List;

/**
 * A batch's way through a worker: gather → claim → decode → handle → an outcome for each → settle
 * each. Those that have not ended then come again, until all have. Any worker, one at a time per
 * lane.
 */
final class BatchPipeline implements Pipeline {
  private final BatchCall<?> call;
  private final Settlement settlement;
  private final Batches batches;
  private final ConsumerMeters meters;
  private final EngineClock clock;

  /**
   * @param settlement tells the batches what becomes of deliveries that it has parked
   */
  BatchPipeline(
      BatchCall<?> call,
      Settlement settlement,
      Batches batches,
      ConsumerMeters meters,
      EngineClock clock) {
    this.call = call;
    this.settlement = settlement;
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
  public DeadLetterOutage deadLetterOutage() {
    return settlement.outage();
  }

  @Override
  public void stopWaiting() {
    batches.stopWaiting();
  }

  private void work(List<Delivery> claimed) {
    List<Delivery> attempts = new ArrayList<>(claimed.size());
    for (Delivery delivery : claimed) {
      Throwable cause = delivery.deadLetterCause();
      if (cause == null) {
        attempts.add(delivery);
      } else {
        settled(delivery, settlement.sendDeadLetter(delivery, cause));
      }
    }
    begin(attempts);
    call.attempt(attempts)
        .forEach((delivery, outcome) -> settled(delivery, settlement.settle(delivery, outcome)));
  }

  private void begin(List<Delivery> attempts) {
    long now = clock.nanos();
    for (Delivery delivery : attempts) {
      delivery.runs(now);
      if (delivery.attempt() == 1) {
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
