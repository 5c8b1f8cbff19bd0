package dev.millrace.internal.keys;

import dev.millrace.consumer.ConsumerExplanation.PauseCause;
import org.apache.kafka.common.TopicPartition;

/** Holds partitions back, each for its own causes. Poll thread. */
public interface PartitionGate {

  /** There is a cause to take no more of one partition, which holds for it alone. */
  void hold(TopicPartition partition, PauseCause cause);

  /** That cause is gone; there may be others. */
  void release(TopicPartition partition, PauseCause cause);
}
