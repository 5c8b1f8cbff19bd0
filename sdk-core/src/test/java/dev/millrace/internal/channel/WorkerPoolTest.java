package dev.millrace.internal.channel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.internal.channel.DeliveryProcessor.Progress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
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

class WorkerPoolTest {
  private final PollThreadSignal signal = new ParkingSignal();
  private final LaneScheduler scheduler = new LaneScheduler(1_000, signal, Permits.threads());
  private final AtomicReference<@Nullable Throwable> bug = new AtomicReference<>();
  private final List<Thread> threads = new ArrayList<>();
  private final AtomicReference<@Nullable CountDownLatch> current = new AtomicReference<>();
  private @Nullable WorkerPool pool;

  @AfterEach
  void stopsCleanly() {
    if (pool != null) {
      pool.stop();
      assertThat(pool.awaitEnd(Duration.ofSeconds(60))).isEmpty();
    }
    assertThat(bug.get()).isNull();
  }

  /**
   * The hand-off under fire: many keys, few permits, some deliveries parked and resumed or finished
   * by another thread. Every delivery ends once, in order per lane, with no two of a lane at a
   * time.
   */
  @ParameterizedTest
  @CsvSource({"1,1", "2,3", "4,50", "16,7", "64,500"})
  void everyDeliveryEndsOnceInOrderAndAloneInItsLane(int permits, int keys) throws Exception {
    int records = 60_000;
    CountDownLatch ended = new CountDownLatch(records);
    AtomicIntegerArray next = new AtomicIntegerArray(keys);
    AtomicIntegerArray inside = new AtomicIntegerArray(keys);
    AtomicInteger violations = new AtomicInteger();
    ScheduledExecutorService others = Executors.newSingleThreadScheduledExecutor();
    try {
      start(
          permits,
          delivery -> {
            int sequence = (int) delivery.record().offset();
            int key = sequence % keys;
            if (inside.incrementAndGet(key) != 1) {
              violations.incrementAndGet();
            }
            int choice = ThreadLocalRandom.current().nextInt(100);
            boolean again = choice == 0 && delivery.attempt() == 1;
            if (!again && !next.compareAndSet(key, sequence / keys, sequence / keys + 1)) {
              violations.incrementAndGet();
            }
            inside.decrementAndGet(key);
            if (again) {
              delivery.nextAttempt(0, 0);
              var unused =
                  others.schedule(() -> scheduler.resume(delivery), 1, TimeUnit.MILLISECONDS);
              return Progress.PARKED;
            }
            ended.countDown();
            if (choice == 1) {
              others.execute(() -> scheduler.finish(delivery));
              return Progress.PARKED;
            }
            return Progress.ENDED;
          });
      Random random = new Random(permits);
      for (int sequence = 0; sequence < records; ) {
        int batch = 1 + random.nextInt(200);
        for (int i = 0; i < batch && sequence < records; i++, sequence++) {
          scheduler.offer(Deliveries.delivery(sequence), sequence % keys);
        }
        pool().wakeOne();
        if (scheduler.inFlight().records() > 5_000) {
          assertThat(
                  signal.await(
                      () -> scheduler.inFlight().records() < 1_000,
                      () -> scheduler.inFlight().records() < 1_000,
                      System.nanoTime() + TimeUnit.SECONDS.toNanos(60)))
              .isTrue();
        }
      }
      assertThat(ended.await(60, TimeUnit.SECONDS)).as("%d not ended", ended.getCount()).isTrue();
      assertThat(violations).hasValue(0);
      await().untilAsserted(() -> assertThat(scheduler.inFlight().records()).isZero());
      assertThat(scheduler.inFlight().bytes()).isZero();
      assertThat(threads).hasSizeLessThanOrEqualTo(permits);
    } finally {
      others.shutdownNow();
    }
  }

  @Test
  void aBlockedLaneBlocksNoOther() throws Exception {
    CountDownLatch release = new CountDownLatch(1);
    CountDownLatch others = new CountDownLatch(100);
    start(
        2,
        delivery -> {
          if (delivery.record().offset() == 0) {
            hold(release);
          } else {
            others.countDown();
          }
          return Progress.ENDED;
        });

    for (int i = 0; i <= 100; i++) {
      scheduler.offer(Deliveries.delivery(i), i);
    }
    pool().wakeOne();

    assertThat(others.await(60, TimeUnit.SECONDS)).isTrue();
    await().untilAsserted(() -> assertThat(scheduler.inFlight().records()).isEqualTo(1));
    release.countDown();
  }

  @Test
  void allPermitsAreUsedAtOnceAndNoMore() throws Exception {
    int permits = 8;
    AtomicInteger running = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    CountDownLatch full = new CountDownLatch(permits);
    CountDownLatch release = new CountDownLatch(1);
    CountDownLatch ended = new CountDownLatch(50);
    start(
        permits,
        delivery -> {
          most.accumulateAndGet(running.incrementAndGet(), Math::max);
          full.countDown();
          hold(release);
          running.decrementAndGet();
          ended.countDown();
          return Progress.ENDED;
        });

    for (int i = 0; i < 50; i++) {
      scheduler.offer(Deliveries.delivery(i), i);
    }
    pool().wakeOne();

    assertThat(full.await(60, TimeUnit.SECONDS)).isTrue();
    release.countDown();
    assertThat(ended.await(60, TimeUnit.SECONDS)).isTrue();
    assertThat(most).hasValue(permits);
  }

  @Test
  void anInterruptFlagLeftBehindDoesNotKeepAWorkerFromSleeping() throws Exception {
    CountDownLatch first = new CountDownLatch(1);
    CountDownLatch second = new CountDownLatch(1);
    start(
        1,
        delivery -> {
          Thread.currentThread().interrupt();
          (delivery.record().offset() == 0 ? first : second).countDown();
          return Progress.ENDED;
        });

    scheduler.offer(Deliveries.delivery(0), 0);
    pool().wakeOne();
    assertThat(first.await(60, TimeUnit.SECONDS)).isTrue();
    await().until(() -> threads.get(0).getState() == Thread.State.WAITING);

    scheduler.offer(Deliveries.delivery(1), 1);
    pool().wakeOne();
    assertThat(second.await(60, TimeUnit.SECONDS)).isTrue();
  }

  /** The thread that lies down has found nothing and is not on the list yet when work comes. */
  @Test
  void aLaneThatBecomesReadyWhileTheLastWorkerLiesDownIsNotMissed() throws Exception {
    for (int round = 0; round < 20_000; round++) {
      CountDownLatch ended = new CountDownLatch(2);
      if (pool == null) {
        start(
            1,
            delivery -> {
              current.get().countDown();
              return Progress.ENDED;
            });
      }
      current.set(ended);
      scheduler.offer(Deliveries.delivery(0), 0);
      pool().wakeOne();
      if (round % 2 == 0) {
        Thread.onSpinWait();
      }
      scheduler.offer(Deliveries.delivery(1), 1);
      pool().wakeOne();
      assertThat(ended.await(60, TimeUnit.SECONDS)).as("round %d", round).isTrue();
    }
  }

  @Test
  void aThreadThatCanNotStartIsReportedAndHoldsNoPermit() throws Exception {
    isReportedAndTheNextOneWorks(work -> new UnstartableThread());
  }

  @Test
  void aThreadThatCanNotBeMadeIsReportedAndHoldsNoPermit() throws Exception {
    isReportedAndTheNextOneWorks(
        work -> {
          throw new OutOfMemoryError("no room for a thread");
        });
  }

  private void isReportedAndTheNextOneWorks(ThreadFactory first) throws Exception {
    AtomicInteger made = new AtomicInteger();
    CountDownLatch ended = new CountDownLatch(1);
    pool =
        new WorkerPool(
            1,
            work ->
                made.incrementAndGet() == 1 ? first.newThread(work) : new Thread(work, "second"),
            scheduler,
            delivery -> {
              ended.countDown();
              return Progress.ENDED;
            },
            bug::set);

    scheduler.offer(Deliveries.delivery(0), 0);
    pool().wakeOne();
    assertThat(bug.get()).isInstanceOf(OutOfMemoryError.class);
    pool().wakeOne();

    assertThat(ended.await(60, TimeUnit.SECONDS)).isTrue();
    bug.set(null);
  }

  @Test
  void whatAProcessorThrowsIsReported() {
    IllegalStateException thrown = new IllegalStateException("a bug");
    start(
        1,
        delivery -> {
          throw thrown;
        });

    scheduler.offer(Deliveries.delivery(0), 0);
    pool().wakeOne();

    await().untilAsserted(() -> assertThat(bug.get()).isSameAs(thrown));
    bug.set(null);
  }

  private void start(int permits, DeliveryProcessor processor) {
    ThreadFactory factory =
        work -> {
          Thread thread = new Thread(work);
          thread.setDaemon(true);
          threads.add(thread);
          return thread;
        };
    pool = new WorkerPool(permits, factory, scheduler, processor, bug::set);
  }

  private WorkerPool pool() {
    WorkerPool started = pool;
    assertThat(started).isNotNull();
    return started;
  }

  private static void hold(CountDownLatch latch) {
    try {
      assertThat(latch.await(60, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static final class UnstartableThread extends Thread {
    @Override
    public synchronized void start() {
      throw new OutOfMemoryError("unable to create native thread");
    }
  }
}
