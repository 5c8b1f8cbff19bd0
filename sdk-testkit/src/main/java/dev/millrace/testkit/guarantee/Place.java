package dev.millrace.testkit.guarantee;

import org.apache.kafka.common.TopicPartition;

/** Where a record is. */
record Place(TopicPartition partition, long offset) {
  @Override
  public String toString() {
    return partition + "@" + offset;
  }
}
