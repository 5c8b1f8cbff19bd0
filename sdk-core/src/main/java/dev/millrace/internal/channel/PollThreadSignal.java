package dev.millrace.internal.channel;

import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Lets the poll thread wait for something that workers bring about, at the price of one volatile
 * read for a worker while nobody waits.
 */
public final class PollThreadSignal {
  private volatile @Nullable Waiter waiter;

  /**
   * Waits until the condition holds or the deadline has passed. Poll thread only; an interrupt ends
   * the wait early and stays set.
   *
   * @param condition what workers bring about before they call {@link #raise()}
   * @param worthWaking asked by workers, so safe on any thread: whether the condition may hold now;
   *     keeps each of a thousand ends from waking the poll thread for nothing
   * @param deadlineNanos in {@link System#nanoTime()}'s time
   * @return whether the condition holds
   */
  public boolean await(BooleanSupplier condition, BooleanSupplier worthWaking, long deadlineNanos) {
    if (condition.getAsBoolean()) {
      return true;
    }
    // Published before the condition is read again: a worker that changes it afterwards sees us.
    waiter = new Waiter(Thread.currentThread(), worthWaking);
    try {
      while (!condition.getAsBoolean()) {
        long left = deadlineNanos - System.nanoTime();
        if (left <= 0 || Thread.currentThread().isInterrupted()) {
          return false;
        }
        LockSupport.parkNanos(this, left);
      }
      return true;
    } finally {
      waiter = null;
    }
  }

  /** Wakes the poll thread if it waits and it is worth it. Any thread. */
  public void raise() {
    Waiter waiting = waiter;
    if (waiting != null && waiting.worthWaking.getAsBoolean()) {
      LockSupport.unpark(waiting.thread);
    }
  }

  private record Waiter(Thread thread, BooleanSupplier worthWaking) {}
}
