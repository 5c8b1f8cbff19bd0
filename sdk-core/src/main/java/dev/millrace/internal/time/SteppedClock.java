package dev.millrace.internal.time;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalLong;
import java.util.PriorityQueue;

/**
 * A time that only moves when it is told to, and the timers that live in it. It begins at the
 * epoch. One thread.
 */
public final class SteppedClock implements EngineClock {
  private record Task(long dueNanos, long number, Runnable work) {}

  private final PriorityQueue<Task> tasks =
      new PriorityQueue<>(Comparator.comparingLong(Task::dueNanos).thenComparing(Task::number));
  private long nanos;
  private long taskNumber;

  @Override
  public long nanos() {
    return nanos;
  }

  @Override
  public Instant now() {
    return Instant.EPOCH.plusNanos(nanos);
  }

  /** Returns a timer whose tasks run within {@link #advance}. */
  public DelayTimer timer() {
    return new Timer();
  }

  /** Returns when the next task is due; empty when there is none. */
  public OptionalLong nextDueNanos() {
    Task next = tasks.peek();
    return next == null ? OptionalLong.empty() : OptionalLong.of(next.dueNanos());
  }

  /**
   * Moves on, and does what has become due; what that brings about is due in a later call at the
   * earliest.
   *
   * @return whether anything was due
   */
  public boolean advance(long byNanos) {
    nanos += byNanos;
    List<Task> due = new ArrayList<>();
    while (!tasks.isEmpty() && tasks.peek().dueNanos() <= nanos) {
      due.add(tasks.remove());
    }
    due.forEach(task -> task.work().run());
    return !due.isEmpty();
  }

  private final class Timer implements DelayTimer {
    private boolean closed;

    @Override
    public void after(long delayNanos, Runnable work) {
      tasks.add(
          new Task(
              nanos + delayNanos,
              taskNumber++,
              () -> {
                if (!closed) {
                  work.run();
                }
              }));
    }

    @Override
    public void close() {
      closed = true;
    }
  }
}
