package dev.millrace.internal.consumer;

import dev.millrace.consumer.RecordHandler;
import dev.millrace.consumer.ReplayRange.Offsets;
import dev.millrace.consumer.ReplaySummary;
import dev.millrace.consumer.ReplaySummary.Progress;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import org.apache.kafka.common.TopicPartition;

/** What one replay is to read, and how far it has come. Any thread. */
final class ReplayState {
  private final Map<TopicPartition, Offsets> ranges;
  private final LongAdder handled = new LongAdder();
  private final LongAdder deadLettered = new LongAdder();

  // Written by the poll thread.
  private volatile Map<TopicPartition, Long> positions = Map.of();

  /**
   * @param ranges none of them empty
   */
  ReplayState(Map<TopicPartition, Offsets> ranges) {
    this.ranges = Map.copyOf(ranges);
  }

  Map<TopicPartition, Offsets> ranges() {
    return ranges;
  }

  /** Poll thread. */
  void reached(Map<TopicPartition, Long> now) {
    positions = Map.copyOf(now);
  }

  /** Returns the handler, counted. */
  <V> RecordHandler<V> counted(RecordHandler<? super V> handler) {
    return (value, context) -> {
      handler.handle(value, context);
      handled.increment();
    };
  }

  void deadLettered() {
    deadLettered.increment();
  }

  ReplaySummary summary() {
    Map<TopicPartition, Long> reached = positions;
    Map<TopicPartition, Progress> partitions = new HashMap<>();
    ranges.forEach(
        (name, range) -> {
          long position = reached.getOrDefault(name, range.from());
          partitions.put(
              name, new Progress(range.from(), range.to(), Math.min(position, range.to())));
        });
    return new ReplaySummary(partitions, handled.sum(), deadLettered.sum());
  }
}
