package dev.millrace.internal.channel;

import static dev.millrace.Interleavings.check;
import static dev.millrace.Interleavings.require;
import static dev.millrace.Interleavings.together;

import dev.millrace.internal.channel.DeliveryProcessor.Progress;
import dev.millrace.internal.time.StoppedClock;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A lane comes to rest, or goes on, while records are offered to it or taken back. */
@Tag("interleavings")
class RestInterleavingTest {

  /** One may be offered in that very moment; it counts on the other side, and once. */
  @Test
  void whatIsOfferedToALaneThatComesToRestRests() {
    check(
        () -> {
          InterleavedChannel channel = new InterleavedChannel(Permits.threads(), 1);
          return together(
                  () -> {
                    channel.offer(0);
                    channel.offer(0);
                    channel.offer(0);
                    channel.requireBounds();
                  },
                  () -> channel.workOnce(channel::backOffAtFirst))
              .then(
                  () -> {
                    int resting = resting(channel);
                    require(resting == 0 || resting >= 2, resting + " at rest");
                    channel.resumeParked();
                    require(resting(channel) == 0, resting(channel) + " still at rest");
                    workOff(channel);
                    channel.requireAllHandled();
                  });
        });
  }

  @Test
  void whatIsOfferedToALaneThatGoesOnTakesRoom() {
    check(
        () -> {
          InterleavedChannel channel = new InterleavedChannel(Permits.threads(), 1);
          return together(
                  () -> {
                    channel.offer(0);
                    channel.work(channel::backOffAtFirst);
                    channel.offer(0);
                    channel.offer(0);
                    channel.requireBounds();
                  },
                  channel::resumeParked)
              .then(
                  () -> {
                    int resting = resting(channel);
                    boolean restsOn = channel.resumeParked();
                    require(restsOn ? resting == 3 : resting <= 1, resting + " at rest");
                    workOff(channel);
                    channel.requireAllHandled();
                  });
        });
  }

  @Test
  void whatIsTakenBackWhileItIsMovedIsTakenFromWhereItCounts() {
    check(
        () -> {
          InterleavedChannel channel = new InterleavedChannel(Permits.threads(), 1);
          return together(
                  () -> {
                    channel.offer(0);
                    channel.offer(0);
                    channel.tracker.takeBack();
                    channel.requireBounds();
                  },
                  () -> channel.work(channel::backOffAtFirst),
                  channel::resumeParked)
              .then(
                  () -> {
                    workOff(channel);
                    channel.requireEmpty();
                  });
        });
  }

  @Test
  void aHeadThatIsSkippedWhileItComesToRestHasTheOthersGoOn() {
    check(
        () -> {
          InterleavedChannel channel = new InterleavedChannel(Permits.threads(), 1);
          return together(
                  () -> {
                    Delivery head = channel.offer(0);
                    channel.offer(0);
                    if (head.skip() && head.unparks()) {
                      channel.scheduler.resume(head);
                    }
                  },
                  () -> channel.workOnce(channel::backOffAtFirst))
              .then(
                  () -> {
                    require(resting(channel) == 0, resting(channel) + " at rest");
                    channel.work(channel::handle);
                    channel.requireAllHandled();
                  });
        });
  }

  /** Batches of two: the older record of the first backs off, the younger one ends elsewhere. */
  private static final class InBatches {
    final InterleavedChannel channel = new InterleavedChannel(Permits.threads(), 1);
    final Batches batches = new Batches(channel.scheduler, new StoppedClock(), new NoTimer(), 2, 0);
    private final AtomicReference<@Nullable Delivery> backsOff = new AtomicReference<>();
    private final AtomicReference<@Nullable Delivery> elsewhere = new AtomicReference<>();

    void offerAndWork() {
      for (int record = 0; record < 3; record++) {
        channel.offer(0);
      }
      work();
    }

    void work() {
      channel.work(this::process);
    }

    private Progress process(Delivery head) {
      if (head.hasEnded()) {
        return Progress.ENDED;
      }
      for (Delivery delivery : batches.beginRound(head)) {
        if (delivery == head && head.attempt() == 1) {
          require(InterleavedChannel.backsOff(delivery), "nobody takes it back");
          backsOff.set(delivery);
        } else if (delivery == head) {
          finish(delivery);
        } else {
          elsewhere.set(delivery);
        }
      }
      return batches.endRound(head);
    }

    void endElsewhere() {
      Delivery delivery = elsewhere.getAndSet(null);
      if (delivery != null) {
        finish(delivery);
      }
    }

    boolean timeHasCome() {
      Delivery delivery = backsOff.getAndSet(null);
      if (delivery != null) {
        batches.resume(delivery);
      }
      return delivery != null;
    }

    private void finish(Delivery delivery) {
      require(delivery.ticket().complete(), delivery.ticket().offset() + " has ended twice");
      batches.finish(delivery);
    }
  }

  @Test
  void aBatchRestsWhenAllThatItStillWaitsForAreNextAttempts() {
    check(
        () -> {
          InBatches batches = new InBatches();
          return together(batches::offerAndWork, batches::endElsewhere)
              .then(
                  () -> {
                    batches.endElsewhere();
                    require(resting(batches.channel) == 2, resting(batches.channel) + " at rest");
                    require(batches.timeHasCome(), "it backs off");
                    requireAllHandled(batches);
                  });
        });
  }

  @Test
  void aBatchThatGoesOnTakesRoomWhoeverHasItGoOn() {
    check(
        () -> {
          InBatches batches = new InBatches();
          return together(
                  () -> {
                    batches.offerAndWork();
                    batches.endElsewhere();
                  },
                  batches::timeHasCome)
              .then(
                  () -> {
                    batches.timeHasCome();
                    require(resting(batches.channel) == 0, resting(batches.channel) + " at rest");
                    requireAllHandled(batches);
                  });
        });
  }

  private static int resting(InterleavedChannel channel) {
    return channel.scheduler.inFlight().resting();
  }

  private static void workOff(InterleavedChannel channel) {
    for (int attempt = 0; attempt < 4; attempt++) {
      channel.resumeParked();
      channel.work(channel::backOffAtFirst);
    }
  }

  private static void requireAllHandled(InBatches batches) {
    for (int round = 0; round < 3; round++) {
      batches.work();
      batches.endElsewhere();
      batches.timeHasCome();
    }
    batches.channel.requireAllHandled();
  }
}
