package dev.millrace.testkit.proxy;

import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.UnaryOperator;

/**
 * The line between the clients and the broker, as it is now.
 *
 * <p>Thread-safe.
 */
final class Link {
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private volatile LinkConditions now = LinkConditions.HEALTHY;

  LinkConditions now() {
    return now;
  }

  void change(UnaryOperator<LinkConditions> change) {
    lock.lock();
    try {
      now = change.apply(now);
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Waits until {@code due} by {@link System#nanoTime}, or until this latency has ended. */
  void awaitArrival(long due, Latency latency) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      long left = due - System.nanoTime();
      while (left > 0 && latency.equals(now.latency())) {
        left = changed.awaitNanos(left);
      }
    } finally {
      lock.unlock();
    }
  }
}
