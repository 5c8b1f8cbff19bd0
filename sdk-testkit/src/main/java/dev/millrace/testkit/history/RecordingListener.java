package dev.millrace.testkit.history;

import java.util.Collection;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.common.TopicPartition;

/** Writes down what comes and goes. The consumer's own thread calls it. */
final class RecordingListener implements ConsumerRebalanceListener {
  private final History history;
  private final ConsumerRebalanceListener next;

  RecordingListener(History history, ConsumerRebalanceListener next) {
    this.history = history;
    this.next = next;
  }

  @Override
  public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
    history.assigned(partitions);
    next.onPartitionsAssigned(partitions);
  }

  @Override
  public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
    try {
      next.onPartitionsRevoked(partitions);
    } finally {
      history.revoked(partitions);
    }
  }

  @Override
  public void onPartitionsLost(Collection<TopicPartition> partitions) {
    history.lost(partitions);
    next.onPartitionsLost(partitions);
  }
}
