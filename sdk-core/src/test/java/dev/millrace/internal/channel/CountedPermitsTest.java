package dev.millrace.internal.channel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.internal.channel.DeliveryProcessor.Progress;
import java.time.Duration;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Deliveries that go on without their worker: the permits bound them, not the threads. */
class CountedPermitsTest {
  private final PollThreadSignal signal = new ParkingSignal();
  private final AtomicReference<@Nullable Throwable> bug = new AtomicReference<>();
  private @Nullable WorkerPool pool;

  @AfterEach
  void stopsCleanly() {
    if (pool != null) {
      pool.stop();
      assertThat(pool.awaitEnd(Duration.ofSeconds(10))).isEmpty();
    }
    assertThat(bug.get()).isNull();
  }

  /** Some end in the worker, some later by another thread, some are parked and tried again. */
  @ParameterizedTest
  @CsvSource({"1,1,1", "1,1,9", "2,5,40", "2,100,300", "4,3,500"})
  void neverMoreAtWorkThanPermitsAndEachOnceInOrder(int threads, int permits, int keys)
      throws Exception {
    int records = 40_000;
    LaneScheduler scheduler = new LaneScheduler(1_000, signal, Permits.counted(permits));
    CountDownLatch ended = new CountDownLatch(records);
    AtomicIntegerArray next = new AtomicIntegerArray(keys);
    AtomicInteger atWork = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    AtomicInteger violations = new AtomicInteger();
    ScheduledExecutorService others = Executors.newScheduledThreadPool(2);
    try {
      start(
          scheduler,
          threads,
          delivery -> {
            most.accumulateAndGet(atWork.incrementAndGet(), Math::max);
            int sequence = (int) delivery.record().offset();
            int key = sequence % keys;
            int choice = ThreadLocalRandom.current().nextInt(100);
            if (choice == 0 && delivery.attempt() == 1) {
              delivery.nextAttempt(0, 0);
              atWork.decrementAndGet();
              var unused =
                  others.schedule(() -> scheduler.resume(delivery), 1, TimeUnit.MILLISECONDS);
              return Progress.PARKED;
            }
            if (!next.compareAndSet(key, sequence / keys, sequence / keys + 1)) {
              violations.incrementAndGet();
            }
            if (choice < 50) {
              atWork.decrementAndGet();
              ended.countDown();
              return Progress.ENDED;
            }
            others.execute(
                () -> {
                  atWork.decrementAndGet();
                  scheduler.finish(delivery);
                  scheduler.giveBackPermit();
                  ended.countDown();
                });
            return Progress.RUNNING;
          });
      for (int sequence = 0; sequence < records; sequence++) {
        scheduler.offer(Deliveries.delivery(sequence), sequence % keys);
        if (sequence % 100 == 99) {
          pool().wakeOne();
          assertThat(
                  signal.await(
                      () -> scheduler.inFlight().records() < 1_000,
                      () -> true,
                      System.nanoTime() + TimeUnit.SECONDS.toNanos(30)))
              .isTrue();
        }
      }
      pool().wakeOne();

      assertThat(ended.await(30, TimeUnit.SECONDS)).as("%d not ended", ended.getCount()).isTrue();
      assertThat(violations).hasValue(0);
      assertThat(most.get()).isLessThanOrEqualTo(permits);
      await().untilAsserted(() -> assertThat(scheduler.usedPermits()).hasValue(0));
      await().untilAsserted(() -> assertThat(scheduler.inFlight().records()).isZero());
    } finally {
      others.shutdownNow();
    }
  }

  @Test
  void oneThreadHasAllPermitsAtWorkAndTheNextFollowsEachThatIsGivenBack() {
    LaneScheduler scheduler = new LaneScheduler(1_000, signal, Permits.counted(100));
    ConcurrentLinkedQueue<Delivery> begun = new ConcurrentLinkedQueue<>();
    start(
        scheduler,
        1,
        delivery -> {
          begun.add(delivery);
          return Progress.RUNNING;
        });
    for (int sequence = 0; sequence < 150; sequence++) {
      scheduler.offer(Deliveries.delivery(sequence), sequence);
    }
    pool().wakeOne();
    await().until(() -> begun.size() == 100);
    assertThat(pool().busy()).isEqualTo(100);
    assertThat(scheduler.hasReady()).isFalse();

    for (int i = 0; i < 50; i++) {
      scheduler.finish(begun.remove());
      scheduler.giveBackPermit();
      await().until(() -> begun.size() == 100);
    }
    assertThat(pool().busy()).isEqualTo(100);
  }

  private void start(LaneScheduler scheduler, int threads, DeliveryProcessor processor) {
    pool =
        new WorkerPool(
            threads,
            work -> {
              Thread thread = new Thread(work);
              thread.setDaemon(true);
              return thread;
            },
            scheduler,
            processor,
            bug::set);
  }

  private WorkerPool pool() {
    WorkerPool started = pool;
    assertThat(started).isNotNull();
    return started;
  }
}
