package dev.millrace.internal.consumer;

import dev.millrace.internal.channel.Workers;
import dev.millrace.internal.time.EngineClock;
import java.time.Duration;
import java.util.List;
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
  private final Workers workers;

  Ending(String consumer, StopRequest stop, EngineClock clock, Workers workers) {
    this.consumer = consumer;
    this.stop = stop;
    this.clock = clock;
    this.workers = workers;
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
   * Has all workers end, and interrupts those that are late: not only at partitions owned now,
   * since a handler may hang since it lost its partition or its lock.
   */
  void stopWorkers() {
    workers.stop();
    if (!workers.awaitEnd(until(stop.handlersUntilNanos())).isEmpty()) {
      workers.interrupt();
    }
  }

  void nameStuckWorkers() {
    List<Thread> stuck = workers.awaitEnd(timeLeft());
    if (!stuck.isEmpty()) {
      LOG.warn(
          "Consumer '{}' has ended, but {} of its handlers ignore the interrupt; their threads: {}",
          consumer,
          stuck.size(),
          stuck.stream().map(Thread::getName).toList());
    }
  }

  Duration timeLeft() {
    Duration left = until(stop.deadlineNanos());
    return left.compareTo(SHORTEST_WAIT) > 0 ? left : SHORTEST_WAIT;
  }

  private Duration until(long nanos) {
    return Duration.ofNanos(Math.max(0, nanos - clock.nanos()));
  }
}
