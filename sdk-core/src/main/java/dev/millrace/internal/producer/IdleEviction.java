package dev.millrace.internal.producer;

import java.time.Duration;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * Closes producers that nobody has a handle on for long. Its thread starts with the first one that
 * becomes idle.
 *
 * <p>Invariant: of each producer at most one look is scheduled, however often its handles come and
 * go; and while it is idle, one is.
 */
final class IdleEviction {
  private final ScheduledThreadPoolExecutor timer;
  private final Consumer<ProducerSlot> evict;

  /**
   * @param evict retires a producer and closes it, unless it is in use again
   */
  IdleEviction(Consumer<ProducerSlot> evict) {
    this.evict = evict;
    this.timer =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread thread = new Thread(task, "millrace-idle-producers");
              thread.setDaemon(true);
              return thread;
            },
            // After the close, when there is nothing left to evict.
            new ThreadPoolExecutor.DiscardPolicy());
  }

  /** One producer's part. */
  final class Watch {
    private final ProducerSlot slot;
    private final Duration after;
    private final AtomicBoolean scheduled = new AtomicBoolean();

    private Watch(ProducerSlot slot, Duration after) {
      this.slot = slot;
      this.after = after;
    }

    /** Any thread: the producer has become idle. */
    void begin() {
      if (!after.isZero() && scheduled.compareAndSet(false, true)) {
        lookIn(after);
      }
    }

    private void lookIn(Duration delay) {
      var unused = timer.schedule(this::look, delay.toNanos(), TimeUnit.NANOSECONDS);
    }

    private void look() {
      Duration left = after.minus(slot.idleFor());
      if (!slot.isIdle()) {
        scheduled.set(false);
        if (slot.isIdle()) {
          begin(); // Who gave it back meanwhile may have seen that a look was scheduled.
        }
      } else if (left.compareTo(Duration.ZERO) > 0) {
        lookIn(left);
      } else {
        evict.accept(slot);
        if (!slot.isRetired()) {
          lookIn(after); // It is in use again, or records are on their way.
        }
      }
    }
  }

  /**
   * @param after how long it stays idle; zero for ever
   */
  Watch watch(ProducerSlot slot, Duration after) {
    return new Watch(slot, after);
  }

  void close() {
    timer.shutdownNow();
  }
}
