package dev.millrace.internal.channel;

import static dev.millrace.internal.channel.Deliveries.delivery;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.internal.channel.DeliveryProcessor.Progress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Workers without threads, where workers are the permits and where permits are counted. */
class SteppedWorkersTest {
  private final PollThreadSignal signal = new ParkingSignal();
  private final List<Long> processed = new ArrayList<>();

  @Test
  void whereWorkersAreThePermitsEachTakesOneLane() {
    LaneScheduler scheduler = new LaneScheduler(10, signal, Permits.threads());
    List<Integer> busy = new ArrayList<>();
    SteppedWorkers[] workers = new SteppedWorkers[1];
    workers[0] =
        new SteppedWorkers(
            2,
            scheduler,
            delivery -> {
              processed.add(delivery.record().offset());
              busy.add(workers[0].busy());
              return Progress.ENDED;
            });
    assertThat(workers[0].canStep()).isFalse();
    for (int i = 0; i < 6; i++) {
      scheduler.offer(delivery(i), i % 3);
    }
    assertThat(workers[0].canStep()).isFalse();
    workers[0].wakeOne();

    // The last of those that are awake: both come to hold a lane.
    while (workers[0].canStep()) {
      workers[0].step(n -> n - 1);
    }

    assertThat(processed).containsExactlyInAnyOrder(0L, 1L, 2L, 3L, 4L, 5L);
    assertThat(processed.indexOf(0L)).isLessThan(processed.indexOf(3L));
    assertThat(processed.indexOf(1L)).isLessThan(processed.indexOf(4L));
    assertThat(processed.indexOf(2L)).isLessThan(processed.indexOf(5L));
    assertThat(busy).contains(2).doesNotContain(0);
    assertThat(workers[0].busy()).isZero();
    assertThat(scheduler.inFlight().records()).isZero();
  }

  @Test
  void aLaneGivesItsWorkerUpWhenOthersAreReady() {
    LaneScheduler scheduler = new LaneScheduler(10, signal, Permits.threads());
    SteppedWorkers workers = processing(scheduler, 1);
    for (int i = 0; i < 4; i++) {
      scheduler.offer(delivery(i), i / 2);
    }
    workers.wakeOne();
    stepAll(workers);

    assertThat(processed).containsExactly(0L, 2L, 1L, 3L);
  }

  @Test
  void countedPermitsAreUsedUpByWhatLeavesTheWorker() {
    LaneScheduler scheduler = new LaneScheduler(10, signal, Permits.counted(2));
    List<Delivery> running = new ArrayList<>();
    SteppedWorkers workers =
        new SteppedWorkers(
            1,
            scheduler,
            delivery -> {
              running.add(delivery);
              return Progress.RUNNING;
            });
    for (int i = 0; i < 3; i++) {
      scheduler.offer(delivery(i), i);
    }
    workers.wakeOne();
    stepAll(workers);
    assertThat(running).hasSize(2);
    assertThat(workers.busy()).isEqualTo(2);

    scheduler.finish(running.get(0));
    scheduler.giveBackPermit();
    stepAll(workers);
    assertThat(running).hasSize(3);
  }

  @Test
  void afterTheStopNothingIsProcessed() {
    LaneScheduler scheduler = new LaneScheduler(10, signal, Permits.threads());
    SteppedWorkers workers = processing(scheduler, 1);
    scheduler.offer(delivery(0), 0);
    workers.wakeOne();
    workers.step(n -> 0);
    assertThat(workers.busy()).isEqualTo(1);
    workers.stop();

    assertThat(workers.canStep()).isFalse();
    assertThat(workers.busy()).isZero();
    assertThat(workers.awaitEnd(Duration.ZERO)).isEmpty();
    assertThat(processed).isEmpty();
  }

  private SteppedWorkers processing(LaneScheduler scheduler, int count) {
    return new SteppedWorkers(
        count,
        scheduler,
        delivery -> {
          processed.add(delivery.record().offset());
          return Progress.ENDED;
        });
  }

  private static void stepAll(SteppedWorkers workers) {
    while (workers.canStep()) {
      workers.step(n -> 0);
    }
  }
}
