package dev.millrace.internal.channel;

import static dev.millrace.Interleavings.check;
import static dev.millrace.Interleavings.join;
import static dev.millrace.Interleavings.together;

import dev.millrace.internal.channel.DeliveryProcessor.Progress;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Workers that fall asleep while there comes something to do: a run that hangs has lost it. */
@Tag("interleavings")
class WakeUpInterleavingTest {

  /** A pool of few workers, which is told of its lanes by the poll thread and by others. */
  private static final class Pool {
    final InterleavedChannel channel;
    final AtomicInteger handled = new AtomicInteger();
    final WorkerPool workers;
    private final DeliveryProcessor handler;
    private final Queue<Thread> threads = new ConcurrentLinkedQueue<>();

    /** One worker, and records that fail at first. */
    Pool() {
      channel = new InterleavedChannel(Permits.threads(), 1);
      handler = channel::failAtFirst;
      workers = new WorkerPool(1, this::thread, channel.scheduler, this::handle, bug -> {});
    }

    /** Two workers, and records of which each waits until another one runs. */
    Pool(AtomicInteger running) {
      channel = new InterleavedChannel(Permits.threads(), 2);
      handler =
          delivery -> {
            running.incrementAndGet();
            while (running.get() < 2) {
              Thread.onSpinWait();
            }
            return Progress.ENDED;
          };
      workers = new WorkerPool(2, this::thread, channel.scheduler, this::handle, bug -> {});
    }

    private Thread thread(Runnable work) {
      Thread thread = new Thread(work);
      threads.add(thread);
      return thread;
    }

    private Progress handle(Delivery delivery) {
      Progress progress = handler.process(delivery);
      if (progress == Progress.ENDED) {
        handled.incrementAndGet();
      }
      return progress;
    }

    void awaitHandled(int count) {
      while (handled.get() < count) {
        Thread.onSpinWait();
      }
      workers.stop();
      for (Thread thread : threads) {
        join(thread);
      }
    }
  }

  @Test
  void noLaneIsLeftToASleepingWorker() {
    check(
        () -> {
          Pool pool = new Pool();
          return together(
              () -> {
                pool.channel.offer(0);
                pool.workers.wakeOne();
                pool.awaitHandled(1);
              },
              () -> {
                while (pool.handled.get() == 0) {
                  pool.channel.resumeParked();
                  Thread.onSpinWait();
                }
              });
        });
  }

  /**
   * The second wake-up finds the first worker on its way; who comes must see to the second lane.
   */
  @Test
  void aWorkerThatIsOnItsWayWakesTheNext() {
    check(
        () -> {
          Pool pool = new Pool(new AtomicInteger());
          return together(
              () -> {
                pool.channel.offer(0);
                pool.workers.wakeOne();
                pool.channel.offer(1);
                pool.workers.wakeOne();
                pool.awaitHandled(2);
              });
        });
  }
}
