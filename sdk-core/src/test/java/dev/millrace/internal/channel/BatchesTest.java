package dev.millrace.internal.channel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.internal.channel.DeliveryProcessor.Progress;
import dev.millrace.internal.time.DelayTimer;
import dev.millrace.internal.time.EngineClock;
import dev.millrace.internal.time.ThreadDelayTimer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Lanes worked off in batches, by many threads. */
class BatchesTest {
  private static final Duration NEVER_IN_A_TEST = Duration.ofHours(1);

  private final PollThreadSignal signal = new ParkingSignal();
  private final LaneScheduler scheduler = new LaneScheduler(1_000, signal, Permits.threads());
  private final AtomicReference<@Nullable Throwable> bug = new AtomicReference<>();
  private final CountingTimer timer = new CountingTimer();
  private final ScheduledExecutorService others = Executors.newScheduledThreadPool(2);
  private @Nullable WorkerPool pool;

  @AfterEach
  void stopsCleanly() {
    if (pool != null) {
      pool.stop();
      assertThat(pool.awaitEnd(Duration.ofSeconds(10))).isEmpty();
    }
    timer.close();
    others.shutdownNow();
    assertThat(bug.get()).isNull();
  }

  /**
   * Nothing but the count ends a wait, and all is a multiple of it: whoever misses that a batch has
   * become full leaves records behind.
   */
  @ParameterizedTest
  @CsvSource({"1,1,2", "2,1,3", "4,7,2", "4,50,5"})
  void eachBatchThatFillsUpIsWorkedOnOnceAndInOrder(int threads, int keys, int most)
      throws Exception {
    int records = keys * most * Math.max(1, 60_000 / (keys * most));
    run(
        new Batches(scheduler, EngineClock.SYSTEM, timer, most, NEVER_IN_A_TEST.toNanos()),
        threads,
        keys,
        records);
  }

  /** What the count does not end, the time does; and some come again before their batch ends. */
  @ParameterizedTest
  @CsvSource({"1,1,10,1", "2,40,7,1", "4,300,100,2", "4,3,5,0"})
  void eachIsWorkedOnOnceAndInOrderWhateverEndsTheWait(int threads, int keys, int most, int millis)
      throws Exception {
    run(
        new Batches(
            scheduler, EngineClock.SYSTEM, timer, most, TimeUnit.MILLISECONDS.toNanos(millis)),
        threads,
        keys,
        60_000);
  }

  private void run(Batches batches, int threads, int keys, int records) throws Exception {
    CountDownLatch ended = new CountDownLatch(records);
    AtomicIntegerArray next = new AtomicIntegerArray(keys);
    AtomicInteger violations = new AtomicInteger();
    start(
        threads,
        head -> {
          if (head.hasEnded()) {
            return Progress.ENDED;
          }
          List<Delivery> round = batches.beginRound(head);
          if (round == null) {
            return Progress.PARKED;
          }
          int key = (int) round.get(0).ticket().offset() % keys;
          for (Delivery delivery : round) {
            int sequence = (int) delivery.ticket().offset();
            // In its first round each comes right behind the one before, in this batch or another.
            if (delivery.attempt() == 1
                && !next.compareAndSet(key, sequence / keys, sequence / keys + 1)) {
              violations.incrementAndGet();
            }
            work(batches, delivery, ended);
          }
          return batches.endRound(head);
        });
    for (int sequence = 0; sequence < records; sequence++) {
      scheduler.offer(Deliveries.polledNow(sequence), sequence % keys);
      if (sequence % 100 == 99) {
        pool().wakeOne();
        assertThat(
                signal.await(
                    () -> scheduler.inFlight().records() < 1_000,
                    () -> true,
                    System.nanoTime() + TimeUnit.SECONDS.toNanos(60)))
            .isTrue();
      }
    }
    pool().wakeOne();

    assertThat(ended.await(60, TimeUnit.SECONDS)).as("%d not ended", ended.getCount()).isTrue();
    assertThat(violations).hasValue(0);
    await().untilAsserted(() -> assertThat(scheduler.inFlight().records()).isZero());
    assertThat(scheduler.inFlight().bytes()).isZero();
  }

  /** Most end at once; some later, by another thread; some come again. */
  private void work(Batches batches, Delivery delivery, CountDownLatch ended) {
    int choice = ThreadLocalRandom.current().nextInt(100);
    if (choice == 0 && delivery.attempt() == 1) {
      delivery.nextAttempt(0, 0);
      delivery.ticket().requeue();
      var unused = others.schedule(() -> batches.resume(delivery), 1, TimeUnit.MILLISECONDS);
    } else if (choice < 5) {
      others.execute(() -> end(batches, delivery, ended));
    } else {
      end(batches, delivery, ended);
    }
  }

  private static void end(Batches batches, Delivery delivery, CountDownLatch ended) {
    assertThat(delivery.ticket().complete()).isTrue();
    batches.finish(delivery);
    ended.countDown();
  }

  @Test
  void batchesThatFillUpBeforeTheirTimeLeaveNoTasksBehind() {
    Batches batches =
        new Batches(scheduler, EngineClock.SYSTEM, timer, 2, NEVER_IN_A_TEST.toNanos());
    List<Integer> sizes = new ArrayList<>();
    DeliveryProcessor processor = endingAll(batches, sizes);
    for (int sequence = 0; sequence < 1_000; sequence++) {
      scheduler.offer(Deliveries.polledNow(sequence), 0);
      workOff(processor);
    }

    assertThat(sizes).hasSize(500).containsOnly(2);
    assertThat(timer.tasks).hasValueLessThanOrEqualTo(1);
  }

  @Test
  void whatIsToldToStopWaitingIsWorkedOnAsItIs() {
    Batches batches =
        new Batches(scheduler, EngineClock.SYSTEM, timer, 10, NEVER_IN_A_TEST.toNanos());
    List<Integer> sizes = new ArrayList<>();
    DeliveryProcessor processor = endingAll(batches, sizes);
    for (int sequence = 0; sequence < 6; sequence++) {
      scheduler.offer(Deliveries.polledNow(sequence), sequence % 2);
    }
    workOff(processor);
    assertThat(sizes).isEmpty();
    assertThat(scheduler.hasReady()).isFalse();

    batches.stopWaiting();
    workOff(processor);

    assertThat(sizes).containsExactly(3, 3);
    assertThat(scheduler.inFlight().records()).isZero();
  }

  @Test
  void theWaitCountsFromThePollOfTheFirstNotFromWhenItsLaneCameFree() {
    AtomicLong now = new AtomicLong(70);
    Map<Runnable, Long> tasks = new LinkedHashMap<>();
    Batches batches = new Batches(scheduler, clock(now::get), delays(tasks), 10, 100);
    List<Integer> sizes = new ArrayList<>();
    scheduler.offer(Deliveries.delivery(0), 0); // polled at 0
    workOff(endingAll(batches, sizes));
    assertThat(tasks).hasSize(1).containsValue(30L);

    now.set(100);
    tasks.keySet().forEach(Runnable::run);
    workOff(endingAll(batches, sizes));
    assertThat(sizes).containsExactly(1);

    now.set(101);
    scheduler.offer(Deliveries.delivery(1), 0);
    workOff(endingAll(batches, sizes));
    assertThat(sizes).containsExactly(1, 1);
    assertThat(tasks).hasSize(1);
  }

  @Test
  void aLaneWhoseBatchIsFullIsReadyOnceWhateverComesBehind() {
    Batches batches =
        new Batches(scheduler, EngineClock.SYSTEM, timer, 2, NEVER_IN_A_TEST.toNanos());
    List<Integer> sizes = new ArrayList<>();
    scheduler.offer(Deliveries.polledNow(0), 0);
    workOff(endingAll(batches, sizes));

    scheduler.offer(Deliveries.polledNow(1), 0);
    scheduler.offer(Deliveries.polledNow(2), 0);
    batches.stopWaiting();
    workOff(endingAll(batches, sizes));

    assertThat(sizes).containsExactly(2);
    assertThat(scheduler.inFlight().records()).isEqualTo(1);
  }

  @Test
  void eachAlarmServesWhatIsDueAndSetsTheNext() {
    AtomicLong now = new AtomicLong();
    Map<Runnable, Long> tasks = new LinkedHashMap<>();
    Batches batches = new Batches(scheduler, clock(now::get), delays(tasks), 10, 100);
    List<Integer> sizes = new ArrayList<>();
    scheduler.offer(Deliveries.delivery(0), 0);
    workOff(endingAll(batches, sizes));
    scheduler.offer(Deliveries.polled(1, 40), 1);
    scheduler.offer(Deliveries.polled(2, 40), 1);
    workOff(endingAll(batches, sizes));
    assertThat(tasks).hasSize(1).containsValue(100L);

    now.set(100);
    List.copyOf(tasks.keySet()).forEach(Runnable::run);
    workOff(endingAll(batches, sizes));
    assertThat(sizes).containsExactly(1);
    assertThat(tasks.values()).containsExactly(100L, 40L);

    now.set(140);
    List.copyOf(tasks.keySet()).forEach(Runnable::run);
    workOff(endingAll(batches, sizes));
    assertThat(sizes).containsExactly(1, 2);
    assertThat(tasks).hasSize(2);
  }

  /** It looks at the clock after it has looked at the count, and before it gathers. */
  @Test
  void aBatchThatFillsUpWhileItIsAboutToGatherIsNotMissed() {
    AtomicInteger looks = new AtomicInteger();
    LongSupplier offersAtTheFirstLook =
        () -> {
          if (looks.incrementAndGet() == 1) {
            scheduler.offer(Deliveries.delivery(1), 0);
          }
          return 0;
        };
    Batches batches = new Batches(scheduler, clock(offersAtTheFirstLook), timer, 2, 100);
    List<Integer> sizes = new ArrayList<>();
    scheduler.offer(Deliveries.delivery(0), 0);

    workOff(endingAll(batches, sizes));

    assertThat(sizes).containsExactly(2);
  }

  private static EngineClock clock(LongSupplier nanos) {
    return new EngineClock() {
      @Override
      public long nanos() {
        return nanos.getAsLong();
      }

      @Override
      public Instant now() {
        return Instant.EPOCH;
      }
    };
  }

  private static DelayTimer delays(Map<Runnable, Long> tasks) {
    return new DelayTimer() {
      @Override
      public void after(long delayNanos, Runnable task) {
        tasks.put(task, delayNanos);
      }

      @Override
      public void close() {}
    };
  }

  private static DeliveryProcessor endingAll(Batches batches, List<Integer> sizes) {
    return head -> {
      if (head.hasEnded()) {
        return Progress.ENDED;
      }
      List<Delivery> round = batches.beginRound(head);
      if (round == null) {
        return Progress.PARKED;
      }
      sizes.add(round.size());
      round.forEach(batches::finish);
      return batches.endRound(head);
    };
  }

  private void workOff(DeliveryProcessor processor) {
    for (Lane lane = scheduler.take(); lane != null; lane = scheduler.take()) {
      boolean more = true;
      while (more) {
        more = scheduler.workOn(lane, processor);
      }
    }
  }

  private void start(int threads, DeliveryProcessor processor) {
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

  /** Counts the tasks that are waiting. */
  private static final class CountingTimer implements DelayTimer {
    final AtomicInteger tasks = new AtomicInteger();
    private final DelayTimer timer =
        new ThreadDelayTimer(
            task -> {
              Thread thread = new Thread(task);
              thread.setDaemon(true);
              return thread;
            });

    @Override
    public void after(long delayNanos, Runnable task) {
      tasks.incrementAndGet();
      timer.after(
          delayNanos,
          () -> {
            tasks.decrementAndGet();
            task.run();
          });
    }

    @Override
    public void close() {
      timer.close();
    }
  }
}
