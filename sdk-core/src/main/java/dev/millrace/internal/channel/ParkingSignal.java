package dev.millrace.internal.channel;

import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** Parks the poll thread, at the price of one volatile read for a worker while it does not wait. */
public final class ParkingSignal implements PollThreadSignal {
  private volatile @Nullable Waiter waiter;

  @Override
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

  @Override
  public void raise() {
    Waiter waiting = waiter;
    if (waiting != null && waiting.worthWaking.getAsBoolean()) {
      LockSupport.unpark(waiting.thread);
    }
  }

  private record Waiter(Thread thread, BooleanSupplier worthWaking) {}
}
