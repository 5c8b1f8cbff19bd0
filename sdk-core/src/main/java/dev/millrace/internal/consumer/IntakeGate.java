package dev.millrace.internal.consumer;

import java.util.Collection;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.TopicPartition;

/**
 * Holds intake back by pausing all partitions, so that the poll loop can go on polling while the
 * channel is full. Confined to the poll thread.
 */
final class IntakeGate {
  private final Consumer<?, ?> consumer;
  private boolean shut;

  IntakeGate(Consumer<?, ?> consumer) {
    this.consumer = consumer;
  }

  void shut() {
    if (!shut) {
      consumer.pause(consumer.assignment());
      shut = true;
    }
  }

  void open() {
    if (shut) {
      consumer.resume(consumer.paused());
      shut = false;
    }
  }

  /** Newly assigned partitions arrive unpaused. */
  void assigned(Collection<TopicPartition> partitions) {
    if (shut) {
      consumer.pause(partitions);
    }
  }
}
