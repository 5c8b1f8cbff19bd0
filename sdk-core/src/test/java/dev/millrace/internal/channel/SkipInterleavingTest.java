package dev.millrace.internal.channel;

import static dev.millrace.Interleavings.check;
import static dev.millrace.Interleavings.require;
import static dev.millrace.Interleavings.together;

import dev.millrace.internal.channel.Delivery.Rest;
import dev.millrace.internal.offset.CompletedAhead;
import dev.millrace.internal.offset.OffsetTracker;
import java.util.Objects;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A record is to be skipped while a worker has it wait, and while its wait ends. */
@Tag("interleavings")
class SkipInterleavingTest {

  /** A record in its handler, which fails; who goes on with its lane says so. */
  private static final class Failing {
    final OffsetTracker tracker =
        new OffsetTracker(new TopicPartition("t", 0), CompletedAhead.NONE);
    final Delivery delivery =
        new Delivery(
            Deliveries.record(0, "key"),
            Objects.requireNonNull(tracker.issue(0, -1)),
            new PartitionLoad(),
            0);
    private volatile boolean waits;
    private volatile boolean skippedByWorker;
    private volatile boolean skippedByPollThread;
    private volatile boolean takenBack;
    private volatile boolean resumedBySkip;
    private volatile boolean resumedInTime;

    Failing() {
      delivery.ticket().start();
    }

    /** Worker. */
    void fail() {
      Rest rest = delivery.rests();
      skippedByWorker = rest == Rest.SKIPPED;
      takenBack = rest == Rest.TAKEN_BACK;
      waits = rest == Rest.WAITS;
    }

    /** Poll thread. */
    void skip() {
      if (delivery.skip()) {
        skippedByPollThread = true;
        resumedBySkip = delivery.unparks();
      }
    }

    /** Poll thread. */
    void retire() {
      tracker.retire();
    }

    /** Timer. */
    void timeHasCome() {
      if (waits && delivery.unparks()) {
        resumedInTime = true;
      }
    }

    void requireOneEnd() {
      require(skippedByWorker != skippedByPollThread, "skipped by one of the two");
      require(delivery.ticket().isDone(), "done");
      requireOneHolder();
    }

    void requireOneHolder() {
      timeHasCome();
      int going = 0;
      going += skippedByWorker || takenBack ? 1 : 0; // Who had it wait goes on at once.
      going += resumedBySkip ? 1 : 0;
      going += resumedInTime ? 1 : 0;
      require(going == 1, "the lane goes on once, not " + going + " times");
    }
  }

  @Test
  void aRecordThatIsToBeSkippedEndsOnceAndNeverWaits() {
    check(
        () -> {
          Failing failing = new Failing();
          return together(failing::fail, failing::skip).then(failing::requireOneEnd);
        });
  }

  @Test
  void aWaitThatASkipHasCutShortResumesItsLaneOnce() {
    check(
        () -> {
          Failing failing = new Failing();
          return together(
                  () -> {
                    failing.fail();
                    failing.timeHasCome();
                  },
                  failing::skip)
              .then(failing::requireOneHolder);
        });
  }

  @Test
  void nothingIsSkippedOfAPartitionThatHasLeft() {
    check(
        () -> {
          Failing failing = new Failing();
          return together(
                  failing::fail,
                  () -> {
                    failing.retire();
                    failing.skip();
                  })
              .then(failing::requireOneHolder);
        });
  }
}
