package dev.millrace.internal.channel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Who disturbs a handler disturbs that one, or none. */
class AttemptTest {
  private static final int RECORDS = 200_000;

  private final Delivery delivery = Deliveries.delivery(0);
  private volatile @Nullable Delivery target;

  @AfterEach
  void leavesNoInterrupt() {
    assertThat(Thread.interrupted()).isFalse();
  }

  @Test
  void anAttemptThatHasNotBegunOrHasEndedIsNotDisturbed() {
    assertThat(delivery.interrupt()).isFalse();
    delivery.giveUp(new IllegalStateException());

    delivery.runs(0);
    assertThat(delivery.ends()).isFalse();

    assertThat(delivery.interrupt()).isFalse();
    delivery.giveUp(new IllegalStateException());
    assertThat(delivery.isInHandler()).isFalse();
    assertThat(delivery.givenUp()).isNull();
  }

  @Test
  void theAttemptThatIsInterruptedLearnsOfItOnce() {
    delivery.runs(0);

    assertThat(delivery.interrupt()).isTrue();
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
    assertThat(delivery.interrupt()).isFalse();

    delivery.runsElsewhere(5);
    assertThat(delivery.startedNanos()).isEqualTo(5);
    assertThat(delivery.interrupt()).isTrue();
    assertThat(delivery.ends()).isTrue();
    assertThat(Thread.interrupted()).isTrue();
  }

  @Test
  void anAttemptThatHasEndedDoesNotBeginAgainElsewhere() {
    delivery.runs(0);
    delivery.leavesWorker();
    delivery.ends();

    delivery.runsElsewhere(5);

    assertThat(delivery.isInHandler()).isFalse();
  }

  @Test
  void theFirstReasonToGiveUpCounts() {
    IllegalStateException first = new IllegalStateException();
    delivery.runs(0);

    delivery.giveUp(first);
    delivery.giveUp(new IllegalStateException());
    delivery.ends();

    assertThat(delivery.givenUp()).isSameAs(first);
  }

  @Test
  void anInterruptNeverHitsTheNextRecordOfTheThread() throws Exception {
    AtomicBoolean over = new AtomicBoolean();
    Thread watchdog =
        new Thread(
            () -> {
              while (!over.get()) {
                Delivery seen = target;
                if (seen != null) {
                  seen.interrupt();
                }
              }
            });
    watchdog.start();
    int hit = 0;
    int strayed = 0;
    try {
      for (int i = 0; i < RECORDS; i++) {
        Delivery meant = Deliveries.delivery(i);
        meant.runs(0);
        target = meant;
        Thread.onSpinWait();
        hit += meant.ends() ? 1 : 0;
        Thread.interrupted();
        Delivery other = Deliveries.delivery(i);
        other.runs(0);
        strayed += Thread.currentThread().isInterrupted() ? 1 : 0;
        other.ends();
      }
    } finally {
      over.set(true);
      Thread.interrupted();
      watchdog.join();
    }
    assertThat(strayed).isZero();
    assertThat(hit).isPositive();
  }
}
