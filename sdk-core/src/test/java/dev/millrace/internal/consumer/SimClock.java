package dev.millrace.internal.consumer;

import dev.millrace.internal.time.EngineClock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/** A time that only moves when it is told to, and what is due in it. */
final class SimClock implements EngineClock {
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

  void after(long delayNanos, Runnable work) {
    tasks.add(new Task(nanos + delayNanos, taskNumber++, work));
  }

  /** Moves on, and does what has become due. */
  void advance(long byNanos) {
    nanos += byNanos;
    List<Task> due = new ArrayList<>();
    while (!tasks.isEmpty() && tasks.peek().dueNanos() <= nanos) {
      due.add(tasks.remove());
    }
    due.forEach(task -> task.work().run());
  }
}
