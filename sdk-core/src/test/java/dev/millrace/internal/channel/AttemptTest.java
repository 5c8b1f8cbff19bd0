package dev.millrace.internal.channel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Who disturbs a handler disturbs that one, or none. */
class AttemptTest {
  private final Delivery delivery = Deliveries.delivery(0);

  @AfterEach
  void leavesNoInterrupt() {
    assertThat(Thread.interrupted()).isFalse();
  }

  @Test
  void anAttemptThatHasNotBegunOrHasEndedIsNotDisturbed() {
    assertThat(delivery.interrupt(0)).isFalse();
    assertThat(delivery.giveUp(0, new IllegalStateException())).isFalse();

    delivery.runs(0);
    assertThat(delivery.ends()).isFalse();

    assertThat(delivery.interrupt(0)).isFalse();
    assertThat(delivery.giveUp(0, new IllegalStateException())).isFalse();
    assertThat(delivery.isInHandler()).isFalse();
    assertThat(delivery.givenUp()).isNull();
  }

  @Test
  void theAttemptThatIsInterruptedLearnsOfItOnce() {
    delivery.runs(0);

    assertThat(delivery.interrupt(0)).isTrue();
    assertThat(delivery.ends()).isTrue();
    assertThat(Thread.interrupted()).isTrue();
    assertThat(delivery.ends()).isFalse();

    delivery.runs(1);
    assertThat(delivery.ends()).isFalse();
  }

  @Test
  void aHandlerThatHasLeftItsWorkerHasNoThreadToInterrupt() {
    delivery.runs(0);
    delivery.leavesWorker();

    assertThat(delivery.interrupt(0)).isFalse();
  }

  @Test
  void anAttemptThatWaitsForTheExecutorIsNotDisturbedUntilItBeginsThere() {
    delivery.runs(0);
    assertThat(delivery.waitsForExecutor(1)).isFalse();

    assertThat(delivery.interrupt(0)).isFalse();
    assertThat(delivery.giveUp(0, new IllegalStateException())).isFalse();
    assertThat(delivery.isInHandler()).isFalse();
    assertThat(delivery.givenUp()).isNull();

    delivery.runs(5);
    assertThat(delivery.startedNanos()).isEqualTo(5);
    assertThat(delivery.interrupt(5)).isTrue();
    assertThat(delivery.ends()).isTrue();
    assertThat(Thread.interrupted()).isTrue();
  }

  @Test
  void whoMeansAnEarlierAttemptDoesNotDisturbThisOne() {
    delivery.runs(0);
    delivery.ends();
    delivery.runs(5);

    assertThat(delivery.interrupt(0)).isFalse();
    assertThat(delivery.giveUp(0, new IllegalStateException())).isFalse();

    assertThat(delivery.ends()).isFalse();
    assertThat(delivery.givenUp()).isNull();
  }

  @Test
  void theFirstReasonToGiveUpCounts() {
    IllegalStateException first = new IllegalStateException();
    delivery.runs(0);

    assertThat(delivery.giveUp(0, first)).isTrue();
    assertThat(delivery.giveUp(0, new IllegalStateException())).isTrue();
    delivery.ends();

    assertThat(delivery.givenUp()).isSameAs(first);
  }

  /** Else the interrupt could hit the next record of the thread. */
  @Test
  void anAttemptDoesNotEndWhileItIsBeingInterrupted() throws Exception {
    CountDownLatch runs = new CountDownLatch(1);
    CountDownLatch beingInterrupted = new CountDownLatch(1);
    CountDownLatch ended = new CountDownLatch(1);
    AtomicBoolean endedMeanwhile = new AtomicBoolean();
    AtomicBoolean flagInNextRecord = new AtomicBoolean();
    Thread worker =
        new Thread(
            () -> {
              delivery.runs(0);
              runs.countDown();
              awaitUninterrupted(beingInterrupted);
              delivery.ends();
              Thread.interrupted();
              ended.countDown();
              Delivery next = Deliveries.delivery(1);
              next.runs(0);
              flagInNextRecord.set(Thread.currentThread().isInterrupted());
            }) {
          @Override
          public void interrupt() {
            beingInterrupted.countDown();
            endedMeanwhile.set(isOpenWithinAMoment(ended));
            super.interrupt();
          }
        };
    worker.start();
    runs.await();

    assertThat(delivery.interrupt(0)).isTrue();

    worker.join();
    assertThat(endedMeanwhile).isFalse();
    assertThat(flagInNextRecord).isFalse();
  }

  private static boolean isOpenWithinAMoment(CountDownLatch latch) {
    try {
      return latch.await(300, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void awaitUninterrupted(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
