package dev.millrace.internal.channel;

import static dev.millrace.Interleavings.check;
import static dev.millrace.Interleavings.join;
import static dev.millrace.Interleavings.together;

import dev.millrace.internal.channel.DeliveryProcessor.Progress;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Workers that fall asleep while there comes something to do: a run that hangs has lost it. */
@Tag("interleavings")
class WakeUpInterleavingTest {

  /** A pool of one worker, which is told of its lanes by the poll thread and by others. */
  private static final class Pool {
    final InterleavedChannel channel = new InterleavedChannel(Permits.threads(), 1);
    final AtomicInteger handled = new AtomicInteger();
    private volatile Thread thread;
    final WorkerPool workers =
        new WorkerPool(1, this::thread, channel.scheduler, this::handle, bug -> {});

    private Thread thread(Runnable work) {
      thread = new Thread(work);
      return thread;
    }

    private Progress handle(Delivery delivery) {
      Progress progress = channel.failAtFirst(delivery);
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
      join(thread);
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
}
