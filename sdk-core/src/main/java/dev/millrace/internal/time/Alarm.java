package dev.millrace.internal.time;

import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * One task of a timer in the place of many: it rings at the earliest of the times it was set for,
 * and then has to be set anew. Any thread.
 */
public final class Alarm {
  private final EngineClock clock;
  private final DelayTimer timer;
  private final Runnable onRing;

  private final ReentrantLock lock = new ReentrantLock();
  // Under the lock: when the task comes that counts, if there is one.
  private @Nullable Long due;

  /**
   * @param onRing run by the timer; also for a time that an earlier one has replaced
   */
  public Alarm(EngineClock clock, DelayTimer timer, Runnable onRing) {
    this.clock = clock;
    this.timer = timer;
    this.onRing = onRing;
  }

  /** Has it ring then, or before. */
  public void setFor(long nanos) {
    lock.lock();
    try {
      if (due != null && due - nanos <= 0) {
        return;
      }
      due = nanos;
    } finally {
      lock.unlock();
    }
    timer.after(Math.max(0, nanos - clock.nanos()), () -> ring(nanos));
  }

  /** An earlier time than this one may have been set since; then that one counts. */
  private void ring(long nanos) {
    lock.lock();
    try {
      if (due != null && due == nanos) {
        due = null;
      }
    } finally {
      lock.unlock();
    }
    onRing.run();
  }
}
