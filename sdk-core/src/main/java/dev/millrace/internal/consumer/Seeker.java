package dev.millrace.internal.consumer;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Moves partitions to other offsets while they are owned. Confined to the poll thread.
 *
 * <p>Invariant: what was delivered before a seek justifies no commit after it. The partition gets a
 * new tracker; the old one's tickets are taken back, and a commit that is on its way is answered to
 * the old one.
 */
final class Seeker {
  private static final Logger LOG = LoggerFactory.getLogger(Seeker.class);

  private final String consumer;
  private final Consumer<?, ?> client;
  private final Assignment assignment;

  Seeker(String consumer, Consumer<?, ?> client, Assignment assignment) {
    this.consumer = consumer;
    this.client = client;
    this.assignment = assignment;
  }

  /**
   * Moves all of them, or none when one is not owned or its target can't be found out.
   *
   * @throws IllegalStateException when one is not owned
   */
  void seek(
      Collection<TopicPartition> partitions,
      Function<Collection<TopicPartition>, Map<TopicPartition, Long>> targets) {
    for (TopicPartition partition : partitions) {
      if (assignment.get(partition) == null) {
        throw new IllegalStateException(
            "Consumer '%s' can't seek in %s, which it does not own now; it owns %s."
                .formatted(consumer, partition, assignment.names()));
      }
    }
    targets.apply(partitions).forEach(this::move);
  }

  /** Goes on at the offset, with nothing delivered and nothing known to be done. */
  void startAt(TopicPartition partition, long offset) {
    client.seek(partition, offset);
    // With nothing delivered yet, the position is what the next commit says.
    assignment.startAnew(partition).tracker().position(new OffsetAndMetadata(offset));
  }

  /** Goes on at a later offset, while what has been delivered is still handled. */
  void skipTo(TopicPartition partition, long offset) {
    client.seek(partition, offset);
    for (AssignedPartition owned : assignment.owned(List.of(partition))) {
      owned.tracker().skipTo(offset);
    }
  }

  private void move(TopicPartition partition, long offset) {
    startAt(partition, offset);
    LOG.info("Consumer '{}' goes on at {} in {}, as it was told.", consumer, offset, partition);
  }
}
