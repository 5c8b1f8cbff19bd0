package dev.millrace.testkit.probe;

import org.apache.kafka.common.TopicPartition;

/** The offsets of a partition from {@code from} (inclusive) to {@code to} (exclusive). */
record OffsetRange(TopicPartition partition, long from, long to) {
  OffsetRange startingAt(long offset) {
    return new OffsetRange(partition, offset, to);
  }

  boolean isEmpty() {
    return from >= to;
  }
}
