package dev.millrace.internal.producer;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Lets sends wait for room, in the order in which they came. Nobody spins, and an end wakes one
 * thread at most. Any thread.
 *
 * <p>Invariant: a send that comes while others wait goes behind them; and who waits first sees each
 * end that makes room: it has said that it waits before it looks, and whoever ends something looks
 * for it afterwards.
 */
final class Turnstile {
  private final InFlight inFlight;

  /** Held by who waits first. Fair: the others come in their order. */
  private final ReentrantLock turn = new ReentrantLock(true);

  private volatile @Nullable Thread first;

  Turnstile(InFlight inFlight) {
    this.inFlight = inFlight;
  }

  /** Returns whether there was room without waiting. */
  boolean passAtOnce(int size) {
    return !turn.isLocked() && inFlight.take(size);
  }

  /** Returns false when there was no room in time. */
  boolean pass(int size, long timeoutNanos) throws InterruptedException {
    if (passAtOnce(size)) {
      return true;
    }
    long deadline = System.nanoTime() + timeoutNanos;
    if (!turn.tryLock(timeoutNanos, TimeUnit.NANOSECONDS)) {
      return false;
    }
    try {
      first = Thread.currentThread();
      while (!inFlight.take(size)) {
        long left = deadline - System.nanoTime();
        if (left <= 0) {
          return false;
        }
        LockSupport.parkNanos(this, left);
        if (Thread.interrupted()) {
          throw new InterruptedException();
        }
      }
      return true;
    } finally {
      first = null;
      turn.unlock();
    }
  }

  /** Something has ended: there may be room. */
  void wake() {
    Thread waiting = first;
    if (waiting != null) {
      LockSupport.unpark(waiting);
    }
  }

  /** About how many threads wait. */
  int waiting() {
    return turn.getQueueLength() + (first == null ? 0 : 1);
  }
}
