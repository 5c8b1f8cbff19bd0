package dev.millrace.internal.delivery;

import dev.millrace.internal.channel.Batches;
import dev.millrace.internal.channel.Delivery;
import dev.millrace.internal.channel.Waiting;
import dev.millrace.internal.metrics.ConsumerMeters;
import dev.millrace.internal.start.Pass;
import dev.millrace.internal.start.StartGate;
import dev.millrace.internal.time.EngineClock;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A batch's way through a worker: gather → may it start → claim → decode → handle → an outcome for
 * each → settle each. Those that have not ended then come again, until all have. Any worker, one at
 * a time per lane.
 */
final class BatchPipeline implements Pipeline {
  private final BatchCall<?> call;
  private final Settlement settlement;
  private final @Nullable StartGate starts;
  private final @Nullable MessageClaims claims;
  private final Batches batches;
  private final ConsumerMeters meters;
  private final EngineClock clock;

  /**
   * @param settlement tells the batches what becomes of deliveries that it has parked
   * @param starts null when handlers may start at any time
   * @param claims null when messages are handled each time they come
   */
  BatchPipeline(
      BatchCall<?> call,
      Settlement settlement,
      @Nullable StartGate starts,
      @Nullable MessageClaims claims,
      Batches batches,
      ConsumerMeters meters,
      EngineClock clock) {
    this.call = call;
    this.settlement = settlement;
    this.starts = starts;
    this.claims = claims;
    this.batches = batches;
    this.meters = meters;
    this.clock = clock;
  }

  @Override
  public Progress process(Delivery head) {
    if (head.hasEnded()) {
      callUpNext();
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
    Progress stands = batches.endRound(head);
    if (stands == Progress.ENDED) {
      callUpNext(); // It may have waited to start, and have been taken back since.
    }
    return stands;
  }

  @Override
  public void skipped(Delivery delivery) {
    settlement.skipped(delivery);
  }

  @Override
  public void stopWaiting() {
    batches.stopWaiting();
  }

  private void work(List<Delivery> claimed) {
    List<Delivery> due = new ArrayList<>(claimed.size());
    int records = 0;
    for (Delivery delivery : claimed) {
      Progress stands = withoutHandler(delivery);
      if (stands == null) {
        due.add(delivery);
        records += delivery.givenUp() == null ? 1 : 0; // No handler sees what is refused.
      } else {
        settled(delivery, stands);
      }
    }
    if (starts == null || records == 0) {
      callUpNext();
      attempt(due, null);
      return;
    }
    Pass pass = starts.enter(due.get(0), records);
    if (pass == null) {
      waitToStart(due, starts);
    } else {
      attempt(due, pass);
    }
  }

  /** Who does not ask may have been called up for that, and another one waits. */
  private void callUpNext() {
    if (starts != null) {
      starts.callUp();
    }
  }

  /** Returns null when the record is to be handled. */
  private @Nullable Progress withoutHandler(Delivery delivery) {
    if (delivery.isSettling()) {
      return delivery.settle();
    }
    return delivery.departure() == null ? null : settlement.send(delivery);
  }

  private void waitToStart(List<Delivery> due, StartGate starts) {
    Waiting.ForStart place = starts.place(due.get(0));
    List<Delivery> resting = new ArrayList<>(due.size());
    List<Runnable> resumes = new ArrayList<>(due.size());
    for (Delivery delivery : due) {
      delivery.waitsFor(place);
      if (settlement.rest(delivery, resumes::add) == Progress.ENDED) {
        batches.finish(delivery);
      } else {
        resting.add(delivery);
      }
    }
    starts.await(place, resting, () -> resumes.forEach(Runnable::run));
  }

  private void attempt(List<Delivery> due, @Nullable Pass pass) {
    List<Delivery> attempts = new ArrayList<>(due.size());
    for (Delivery delivery : due) {
      Progress stands = claims == null ? null : claims.begin(delivery);
      if (stands == null) {
        attempts.add(delivery);
      } else {
        settled(delivery, stands);
      }
    }
    begin(attempts);
    call.attempt(attempts, pass)
        .forEach((delivery, outcome) -> settled(delivery, settle(delivery, outcome)));
  }

  private Progress settle(Delivery delivery, Outcome outcome) {
    return claims == null ? settlement.settle(delivery, outcome) : claims.settle(delivery, outcome);
  }

  private void begin(List<Delivery> attempts) {
    long now = clock.nanos();
    for (Delivery delivery : attempts) {
      delivery.runs(now);
      if (delivery.tries().inPlace() == 1) {
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
