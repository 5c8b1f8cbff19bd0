package dev.millrace.internal.channel;

import dev.millrace.internal.time.DelayTimer;
import dev.millrace.internal.time.EngineClock;
import java.util.Iterator;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The batches that wait for more deliveries, by the time at which they wait no longer. One task of
 * the timer serves them all, so a batch that fills up before its time leaves nothing behind. Any
 * thread.
 */
final class Gathering {
  private final EngineClock clock;
  private final DelayTimer timer;
  private final Consumer<Lane> onComplete;
  private final AtomicLong numbers = new AtomicLong();
  private final ConcurrentSkipListSet<LaneBatch> waiting = new ConcurrentSkipListSet<>();

  private final ReentrantLock lock = new ReentrantLock();
  // Under the lock: when the task comes that counts, if there is one.
  private @Nullable Long alarm;

  /**
   * @param onComplete given each lane whose batch waits no longer, with the hold on it
   */
  Gathering(EngineClock clock, DelayTimer timer, Consumer<Lane> onComplete) {
    this.clock = clock;
    this.timer = timer;
    this.onComplete = onComplete;
  }

  /** Returns a number that no other batch has. */
  long number() {
    return numbers.incrementAndGet();
  }

  /**
   * Holder of a new batch's lane. Has it wait for more, unless it is full or due.
   *
   * @return whether it waits: then the lane is no longer the caller's
   */
  boolean await(LaneBatch batch) {
    if (batch.isFull() || batch.dueNanos() - clock.nanos() <= 0) {
      return false;
    }
    waiting.add(batch);
    batch.gather();
    // Again: who filled it before it gathered did not claim it, who does so from here on will.
    if (batch.isFull() && batch.claim()) {
      return false;
    }
    setAlarm();
    return true;
  }

  /** The batch waits no longer. */
  void forget(LaneBatch batch) {
    waiting.remove(batch);
  }

  /** Has all of them wait no longer. */
  void completeAll() {
    waiting.forEach(this::complete);
  }

  private void complete(LaneBatch batch) {
    if (batch.claim()) {
      onComplete.accept(batch.lane());
    }
  }

  private void setAlarm() {
    Iterator<LaneBatch> first = waiting.iterator();
    if (!first.hasNext()) {
      return;
    }
    long due = first.next().dueNanos();
    lock.lock();
    try {
      if (alarm != null && alarm - due <= 0) {
        return;
      }
      alarm = due;
    } finally {
      lock.unlock();
    }
    timer.after(Math.max(0, due - clock.nanos()), () -> ring(due));
  }

  /** Timer. An earlier alarm than this one may have been set since; then that one counts. */
  private void ring(long due) {
    lock.lock();
    try {
      if (alarm != null && alarm == due) {
        alarm = null;
      }
    } finally {
      lock.unlock();
    }
    long now = clock.nanos();
    for (LaneBatch batch : waiting) {
      if (batch.dueNanos() - now > 0) {
        break;
      }
      complete(batch);
    }
    setAlarm();
  }
}
