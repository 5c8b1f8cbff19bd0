package dev.millrace.internal.channel;

import dev.millrace.internal.time.Alarm;
import dev.millrace.internal.time.DelayTimer;
import dev.millrace.internal.time.EngineClock;
import java.util.Iterator;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * The batches that wait for more deliveries, by the time at which they wait no longer. One task of
 * the timer serves them all, so a batch that fills up before its time leaves nothing behind. Any
 * thread.
 */
final class Gathering {
  private final EngineClock clock;
  private final Alarm alarm;
  private final Consumer<Lane> onComplete;
  private final AtomicLong numbers = new AtomicLong();
  private final ConcurrentSkipListSet<LaneBatch> waiting = new ConcurrentSkipListSet<>();

  /**
   * @param onComplete given each lane whose batch waits no longer, with the hold on it
   */
  Gathering(EngineClock clock, DelayTimer timer, Consumer<Lane> onComplete) {
    this.clock = clock;
    this.alarm = new Alarm(clock, timer, this::ring);
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
    alarm.setFor(first.next().dueNanos());
  }

  private void ring() {
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
