package dev.millrace.internal.consumer;

import dev.millrace.consumer.ConsumerExplanation.PauseCause;
import dev.millrace.consumer.ReplayRange.Offsets;
import dev.millrace.errors.ConsumerFailedException;
import dev.millrace.internal.offset.OffsetTracker;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * The course of a replay: its partitions, from here to there. Confined to the poll thread.
 *
 * <p>Invariant: it is over if and only if in each partition the next poll would take from the
 * range's end or beyond, and all that was delivered has ended. The position counts, not the last
 * record: at the end there may be markers, or what compaction has left of a range.
 */
final class ReplayCourse implements Course {
  /** When a log that was cut is read again from what was unfinished in it. */
  private static final long NOWHERE = -1;

  private final String consumer;
  private final ReplayState state;
  private final Consumer<?, ?> client;
  private final Assignment assignment;
  private final IntakeGate gate;
  private final Map<TopicPartition, Long> positions = new HashMap<>();

  ReplayCourse(
      String consumer,
      ReplayState state,
      Consumer<?, ?> client,
      Assignment assignment,
      IntakeGate gate) {
    this.consumer = consumer;
    this.state = state;
    this.client = client;
    this.assignment = assignment;
    this.gate = gate;
  }

  @Override
  public void begin() {
    client.assign(state.ranges().keySet());
    state.ranges().forEach(this::begin);
    gate.assigned();
  }

  private void begin(TopicPartition name, Offsets range) {
    AssignedPartition partition = AssignedPartition.until(name, range.to());
    client.seek(name, range.from());
    partition.tracker().position(new OffsetAndMetadata(range.from()));
    assignment.add(partition);
    positions.put(name, range.from());
  }

  @Override
  public boolean isOver() {
    Map<TopicPartition, Long> reached = new HashMap<>();
    for (AssignedPartition partition : assignment.all()) {
      reached.put(partition.partition(), look(partition));
    }
    state.reached(reached);
    return state.summary().isComplete();
  }

  /** Returns up to where all has ended. */
  private long look(AssignedPartition partition) {
    TopicPartition name = partition.partition();
    OffsetTracker tracker = partition.tracker();
    long position = tracker.position().orElse(NOWHERE);
    Long before = positions.put(name, position);
    if (before != null && position < before) {
      throw new ConsumerFailedException(
          "Consumer '%s' stopped in %s: the log was cut, or its topic made anew, since it goes on before offset %d; replay again what is there now."
              .formatted(consumer, name, before),
          null);
    }
    if (position >= partition.end()) {
      gate.hold(name, PauseCause.RANGE_READ);
    }
    tracker.advance();
    return tracker.oldestOpen() < 0 ? position : tracker.oldestOpen();
  }
}
