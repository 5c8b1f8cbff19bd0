package dev.millrace.internal.channel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.internal.channel.DeliveryProcessor.Progress;
import java.lang.reflect.Field;
import java.time.Duration;
import java.util.Collection;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.Test;

/**
 * A waker that is preempted between taking a sleeper off the list and waking it. The sleeper gets
 * up by itself meanwhile, works, and sleeps again: the late wake-up must not end that later sleep,
 * for the worker would lie down a second time, and a wake-up meant for another be spent on it.
 */
class StaleWakeUpTest {
  private static final int BLOCKS = 100;
  private static final int FOLLOWS = 101;

  private final LaneScheduler scheduler =
      new LaneScheduler(1_000, new ParkingSignal(), Permits.threads());
  private final AtomicReference<Thread> waker = new AtomicReference<>();
  private final CountDownLatch workerLiesDown = new CountDownLatch(1);
  private final CountDownLatch workerGoesOn = new CountDownLatch(1);
  private final CountDownLatch wakerTookIt = new CountDownLatch(1);
  private final CountDownLatch wakerGoesOn = new CountDownLatch(1);
  private final CountDownLatch blocks = new CountDownLatch(1);
  private final CountDownLatch blocked = new CountDownLatch(1);
  private final CountDownLatch followed = new CountDownLatch(1);

  @Test
  void aStaleWakeUpDoesNotSwallowALaterOne() throws Exception {
    WorkerPool pool =
        new WorkerPool(
            2,
            work -> new Thread(work, "worker"),
            scheduler,
            this::process,
            bug -> {
              throw new AssertionError(bug);
            });
    try {
      holdThreadsAtUnlock(pool);
      offer(pool, 0);
      hold(workerLiesDown); // it has ended the first, is on the list, and will look once more
      scheduler.offer(Deliveries.delivery(1), 1);
      Thread late = new Thread(pool::wakeOne, "late waker");
      waker.set(late);
      late.start();
      hold(wakerTookIt);
      workerGoesOn.countDown();
      await().until(() -> scheduler.inFlight().records() == 0 && sleepers(pool).size() == 1);
      wakerGoesOn.countDown();
      late.join();
      // A fooled worker would now lie down a second time; one that is not stays where it is.
      long end = System.nanoTime() + Duration.ofMillis(300).toNanos();
      while (sleepers(pool).size() < 2 && System.nanoTime() - end < 0) {
        Thread.onSpinWait();
      }

      offer(pool, BLOCKS);
      hold(blocked);
      offer(pool, FOLLOWS);

      assertThat(followed.await(60, TimeUnit.SECONDS)).as("the free permit is used").isTrue();
    } finally {
      blocks.countDown();
      pool.stop();
      assertThat(pool.awaitEnd(Duration.ofSeconds(60))).isEmpty();
    }
  }

  private Progress process(Delivery delivery) {
    long offset = delivery.record().offset();
    if (offset == BLOCKS) {
      blocked.countDown();
      hold(blocks);
    }
    if (offset == FOLLOWS) {
      followed.countDown();
    }
    return Progress.ENDED;
  }

  private void offer(WorkerPool pool, int offset) {
    scheduler.offer(Deliveries.delivery(offset), offset);
    pool.wakeOne();
  }

  private void holdThreadsAtUnlock(WorkerPool pool) throws ReflectiveOperationException {
    AtomicInteger workersUnlocks = new AtomicInteger();
    Field lock = WorkerPool.class.getDeclaredField("lock");
    lock.setAccessible(true);
    lock.set(
        pool,
        new ReentrantLock() {
          private static final long serialVersionUID = 1L;

          @Override
          public void unlock() {
            super.unlock();
            if (Thread.currentThread() == waker.get()) {
              wakerTookIt.countDown();
              hold(wakerGoesOn);
            } else if (Thread.currentThread().getName().equals("worker")
                && workersUnlocks.incrementAndGet() == 1) {
              workerLiesDown.countDown();
              hold(workerGoesOn);
            }
          }
        });
  }

  private static Collection<?> sleepers(WorkerPool pool) throws ReflectiveOperationException {
    Field sleepers = WorkerPool.class.getDeclaredField("sleepers");
    sleepers.setAccessible(true);
    return (Collection<?>) sleepers.get(pool);
  }

  private static void hold(CountDownLatch latch) {
    try {
      assertThat(latch.await(60, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
