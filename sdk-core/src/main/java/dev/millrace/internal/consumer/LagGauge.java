package dev.millrace.internal.consumer;

import dev.millrace.internal.time.EngineClock;
import java.util.Collection;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.Consumer;

/**
 * Measures how far behind the log end partitions are. Confined to the poll thread.
 *
 * <p>The client learns the log end from what it fetches. It fetches nothing of a paused partition,
 * so a pause that may last for hours has to show as "not known": the last known lag would stand
 * still while the true one grows. Pauses by flow control end, and keep it.
 */
final class LagGauge {
  private static final long INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final Consumer<?, ?> consumer;
  private final IntakeGate gate;
  private long dueNanos;

  LagGauge(Consumer<?, ?> consumer, IntakeGate gate, EngineClock clock) {
    this.consumer = consumer;
    this.gate = gate;
    this.dueNanos = clock.nanos();
  }

  void measureIfDue(long now, Collection<AssignedPartition> partitions) {
    if (now - dueNanos < 0) {
      return;
    }
    dueNanos = now + INTERVAL_NANOS;
    partitions.forEach(partition -> partition.lag(measure(partition)));
  }

  /** Returns log end minus first unfinished offset; empty while it is not known. */
  OptionalLong measure(AssignedPartition partition) {
    if (gate.isPausedByUser(partition.partition())) {
      return OptionalLong.empty();
    }
    OptionalLong behindPosition = consumer.currentLag(partition.partition());
    return behindPosition.isEmpty()
        ? behindPosition
        : OptionalLong.of(
            behindPosition.getAsLong() + partition.notDue().ahead() + partition.tracker().ahead());
  }
}
