package dev.millrace.internal.consumer;

import dev.millrace.internal.channel.PollThreadSignal;
import dev.millrace.internal.channel.Workers;
import dev.millrace.internal.time.EngineClock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The end of an engine, step by step, within the deadline of its stop. Poll thread. */
final class Ending {
  /** What each step that asks the brokers gets, however late it is. */
  static final Duration SHORTEST_WAIT = Duration.ofMillis(200);

  private static final Logger LOG = LoggerFactory.getLogger(Ending.class);

  private final String consumer;
  private final StopRequest stop;
  private final EngineClock clock;
  private final PollThreadSignal signal;
  private final Workers workers;
  private final Assignment assignment;

  Ending(
      String consumer,
      StopRequest stop,
      EngineClock clock,
      PollThreadSignal signal,
      Workers workers,
      Assignment assignment) {
    this.consumer = consumer;
    this.stop = stop;
    this.clock = clock;
    this.signal = signal;
    this.workers = workers;
    this.assignment = assignment;
  }

  /** One step that fails must not keep the next from being taken. */
  void step(String what, Runnable step) {
    try {
      step.run();
    } catch (RuntimeException e) {
      LOG.warn("Consumer '{}' ends, but could not {}.", consumer, what, e);
    }
  }

  /**
   * Has all workers end, waits as long for handlers in the service's executor, and interrupts those
   * that are late: not only at partitions owned now, since a handler may hang since it lost its
   * partition or its lock.
   */
  void stopHandlers() {
    workers.stop();
    long untilNanos = stop.handlersUntilNanos();
    if (!workers.awaitEnd(until(untilNanos)).isEmpty()) {
      workers.interrupt();
    }
    awaitEndElsewhere(untilNanos).forEach(RunningRecord::interrupt);
  }

  void nameStuckHandlers() {
    long untilNanos = clock.nanos() + timeLeft().toNanos();
    List<Thread> stuck = new ArrayList<>(workers.awaitEnd(timeLeft()));
    for (RunningRecord record : awaitEndElsewhere(untilNanos)) {
      Thread runner = record.delivery().runner();
      if (runner != null) {
        stuck.add(runner);
      }
    }
    if (!stuck.isEmpty()) {
      LOG.warn(
          "Consumer '{}' has ended, but {} of its handlers ignore the interrupt; their threads: {}",
          consumer,
          stuck.size(),
          stuck.stream().map(Thread::getName).toList());
    }
  }

  private List<RunningRecord> awaitEndElsewhere(long untilNanos) {
    boolean unused = signal.await(() -> elsewhere().isEmpty(), () -> true, untilNanos);
    return elsewhere();
  }

  /** Returns the records whose handlers run in threads that are not workers'. */
  private List<RunningRecord> elsewhere() {
    return RunningRecords.look(assignment, clock.nanos(), 0).overdue().stream()
        .filter(record -> isElsewhere(record.delivery().runner()))
        .toList();
  }

  private boolean isElsewhere(@Nullable Thread runner) {
    return runner != null && !workers.isWorker(runner);
  }

  Duration timeLeft() {
    Duration left = until(stop.deadlineNanos());
    return left.compareTo(SHORTEST_WAIT) > 0 ? left : SHORTEST_WAIT;
  }

  private Duration until(long nanos) {
    return Duration.ofNanos(Math.max(0, nanos - clock.nanos()));
  }
}
