package dev.millrace.internal.deadletter;

import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The groups that are being redriven in this factory, each once, and the end of all. Any thread.
 */
final class RunningRedrives {
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  // Under the lock.
  private final Set<String> groups = new HashSet<>();
  private boolean closed;

  /**
   * Begins; {@link #end} is owed.
   *
   * @throws IllegalStateException when the group is being redriven already, or all is closed
   */
  void begin(Scope scope) {
    lock.lock();
    try {
      requireOpen();
      if (!groups.add(scope.group())) {
        throw new IllegalStateException(
            "%s: dead letters of its group '%s' are being redriven already; wait for the end of that."
                .formatted(scope.owner(), scope.group()));
      }
    } finally {
      lock.unlock();
    }
  }

  void end(Scope scope) {
    lock.lock();
    try {
      groups.remove(scope.group());
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until the time has come.
   *
   * @param untilNanos of {@link System#nanoTime}
   * @throws IllegalStateException when all is closed, before or meanwhile
   */
  void pause(long untilNanos) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      requireOpen();
      for (long left = untilNanos - System.nanoTime();
          left > 0;
          left = untilNanos - System.nanoTime()) {
        long unused = changed.awaitNanos(left);
        requireOpen();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Lets none begin any more, and waits for the transactions under way, within the bound. */
  void close(Duration bound) {
    long deadline = System.nanoTime() + bound.toNanos();
    lock.lock();
    try {
      closed = true;
      changed.signalAll();
      while (!groups.isEmpty()
          && changed.await(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
        // Each end signals.
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      lock.unlock();
    }
  }

  void requireOpen() {
    lock.lock();
    try {
      if (closed) {
        throw new IllegalStateException("The KafkaFactory is closed.");
      }
    } finally {
      lock.unlock();
    }
  }
}
