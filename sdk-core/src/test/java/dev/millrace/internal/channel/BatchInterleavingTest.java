package dev.millrace.internal.channel;

import static dev.millrace.Interleavings.check;
import static dev.millrace.Interleavings.require;
import static dev.millrace.Interleavings.together;

import dev.millrace.internal.channel.DeliveryProcessor.Progress;
import dev.millrace.internal.time.StoppedClock;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Batches of two that fill up, or are to wait no longer, while workers look at them. */
@Tag("interleavings")
class BatchInterleavingTest {

  /** Works on batches of two; the older one of each ends elsewhere. */
  private static final class InBatches {
    final InterleavedChannel channel = new InterleavedChannel(Permits.threads(), 1);
    final Batches batches =
        new Batches(channel.scheduler, new StoppedClock(), new NoTimer(), 2, 1_000);
    private final AtomicReference<@Nullable Delivery> parked = new AtomicReference<>();
    private volatile boolean inRound;

    void work() {
      channel.work(this::process);
    }

    private Progress process(Delivery head) {
      if (head.hasEnded()) {
        return Progress.ENDED;
      }
      List<Delivery> round = batches.beginRound(head);
      if (round == null) {
        return Progress.PARKED;
      }
      require(!inRound, "two rounds of one lane");
      inRound = true;
      require(parked.get() == null, "a batch before the one before has ended");
      for (Delivery delivery : round) {
        if (delivery == head && round.size() > 1) {
          parked.set(delivery);
        } else {
          finish(delivery);
        }
      }
      inRound = false;
      return batches.endRound(head);
    }

    void finishParked() {
      Delivery delivery = parked.getAndSet(null);
      if (delivery != null) {
        finish(delivery);
      }
    }

    /** Another record shows whether somebody still holds the lane, or nobody ever will. */
    void requireAllHandledAndTheLaneFree() {
      workOff();
      channel.offer(0);
      workOff();
      channel.requireAllHandled();
    }

    private void workOff() {
      for (int i = 0; i < 2; i++) {
        finishParked();
        batches.stopWaiting();
        work();
      }
    }

    private void finish(Delivery delivery) {
      require(delivery.ticket().complete(), delivery.ticket().offset() + " has ended twice");
      batches.finish(delivery);
    }
  }

  @Test
  void theRecordThatFillsABatchIsMissedByNobody() {
    check(
        () -> {
          InBatches batches = new InBatches();
          return together(
                  () -> {
                    batches.channel.offer(0);
                    batches.channel.offer(0);
                  },
                  batches::work)
              .then(
                  () -> {
                    batches.work();
                    batches.finishParked();
                    batches.work();
                    batches.channel.requireAllHandled();
                  });
        });
  }

  /** The batch gathers already; what fills it and what ends the wait come at the same time. */
  @Test
  void aBatchThatNeedNotWaitIsWorkedOnOnce() {
    check(
        () -> {
          InBatches batches = new InBatches();
          return together(
                  () -> {
                    batches.channel.offer(0);
                    batches.work();
                    batches.channel.offer(0);
                  },
                  batches.batches::stopWaiting)
              .then(batches::requireAllHandledAndTheLaneFree);
        });
  }

  /** The worker ends its part of the round while somebody else ends the record that is parked. */
  @Test
  void aRoundEndsWithTheLastOfItsRecordsWhoeverEndsIt() {
    check(
        () -> {
          InBatches batches = new InBatches();
          return together(
                  () -> {
                    batches.channel.offer(0);
                    batches.channel.offer(0);
                    batches.work();
                  },
                  batches::finishParked)
              .then(batches::requireAllHandledAndTheLaneFree);
        });
  }
}
