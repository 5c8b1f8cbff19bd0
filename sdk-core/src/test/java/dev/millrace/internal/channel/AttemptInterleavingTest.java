package dev.millrace.internal.channel;

import static dev.millrace.Interleavings.check;
import static dev.millrace.Interleavings.require;
import static dev.millrace.Interleavings.together;

import dev.millrace.Interleavings;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A handler that ends, or leaves its worker, while the watchdog acts on its record. */
@Tag("interleavings")
class AttemptInterleavingTest {

  /** Says whether it was interrupted since it was last asked. */
  private static final class Handler extends Thread {
    private volatile boolean interrupted;

    Handler(Runnable work) {
      super(work);
    }

    @Override
    public void interrupt() {
      interrupted = true;
    }

    boolean wasInterrupted() {
      boolean was = interrupted;
      interrupted = false;
      return was;
    }

    void runToItsEnd() {
      start();
      Interleavings.join(this);
    }
  }

  private final Throwable cause = new IllegalStateException();

  @Test
  void aThreadIsInterruptedOnlyWhileTheRecordsHandlerRunsThere() {
    check(
        () -> {
          Delivery delivery = InterleavedChannel.polled();
          Delivery next = InterleavedChannel.polled();
          Handler[] handler = new Handler[1];
          handler[0] =
              new Handler(
                  () -> {
                    delivery.runs(1);
                    boolean told = delivery.ends();
                    boolean was = handler[0].wasInterrupted();
                    require(told == was, "interrupted: " + was + ", but told: " + told);
                    next.runs(2);
                    require(!next.ends(), "the next one was interrupted");
                  });
          return together(() -> delivery.interrupt(1), handler[0]::runToItsEnd)
              .then(() -> require(!handler[0].wasInterrupted(), "interrupted after the end"));
        });
  }

  @Test
  void whatWaitsForTheExecutorIsInterruptedOnlyWhereItRuns() {
    check(
        () -> {
          Delivery delivery = InterleavedChannel.polled();
          Handler[] elsewhere = new Handler[1];
          elsewhere[0] =
              new Handler(
                  () -> {
                    delivery.runs(2);
                    boolean told = delivery.ends();
                    boolean was = elsewhere[0].wasInterrupted();
                    require(told == was, "interrupted: " + was + ", but told: " + told);
                  });
          Handler[] worker = new Handler[1];
          worker[0] =
              new Handler(
                  () -> {
                    delivery.runs(1);
                    boolean told = delivery.waitsForExecutor(1);
                    boolean was = worker[0].wasInterrupted();
                    require(told == was, "interrupted: " + was + ", but told: " + told);
                    elsewhere[0].runToItsEnd();
                  });
          return together(
                  () -> {
                    delivery.interrupt(1);
                    delivery.interrupt(2);
                  },
                  worker[0]::runToItsEnd)
              .then(
                  () -> {
                    require(!worker[0].wasInterrupted(), "the worker was, after it gave it away");
                    require(!elsewhere[0].wasInterrupted(), "interrupted after the end");
                  });
        });
  }

  @Test
  void whoMeansOneAttemptNeverGivesUpTheNext() {
    check(
        () -> {
          Delivery delivery = InterleavedChannel.polled();
          return together(
              () -> delivery.giveUp(1, cause),
              () -> {
                delivery.runs(1);
                delivery.ends();
                Throwable before = delivery.givenUp();
                delivery.runs(2);
                delivery.ends();
                require(delivery.givenUp() == before, "the next attempt was given up");
              });
        });
  }

  @Test
  void whetherARecordWasGivenUpIsDecidedWhenItsHandlerEnds() {
    check(
        () -> {
          Delivery delivery = InterleavedChannel.polled();
          Throwable[] atTheEnd = new Throwable[1];
          return together(
                  () -> delivery.giveUp(1, cause),
                  () -> {
                    delivery.runs(1);
                    delivery.ends();
                    atTheEnd[0] = delivery.givenUp();
                  })
              .then(
                  () ->
                      require(
                          delivery.givenUp() == atTheEnd[0],
                          "given up after its handler had ended"));
        });
  }
}
