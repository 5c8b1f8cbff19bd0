package dev.millrace.internal.consumer;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.Predicate;
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
  private final Predicate<TopicPartition> isRetry;
  private final Promise promise;

  /**
   * @param isRetry whether a partition is a retry topic's
   */
  Seeker(
      String consumer,
      Consumer<?, ?> client,
      Assignment assignment,
      Predicate<TopicPartition> isRetry,
      Promise promise) {
    this.consumer = consumer;
    this.client = client;
    this.assignment = assignment;
    this.isRetry = isRetry;
    this.promise = promise;
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

  /**
   * Returns the same targets, but of retry topics none that passes over what is yet to be handled:
   * a record waits there for its time, which is after the one that it was written at.
   *
   * @param beginnings tells where logs begin
   */
  Map<TopicPartition, Long> beforeWhatWaits(
      Map<TopicPartition, Long> targets,
      Function<Collection<TopicPartition>, Map<TopicPartition, Long>> beginnings) {
    Map<TopicPartition, Long> before = new HashMap<>(targets);
    for (AssignedPartition partition : assignment.owned(targets.keySet())) {
      if (isRetry.test(partition.partition())) {
        before.computeIfPresent(
            partition.partition(),
            (name, target) -> Math.min(target, unhandled(partition, beginnings)));
      }
    }
    return before;
  }

  private long unhandled(
      AssignedPartition partition,
      Function<Collection<TopicPartition>, Map<TopicPartition, Long>> beginnings) {
    TopicPartition name = partition.partition();
    long handedOver = partition.tracker().position().orElse(partition.base());
    return handedOver < 0
        ? Objects.requireNonNull(beginnings.apply(List.of(name)).get(name))
        : partition.readOnAt(promise, handedOver);
  }

  /** Goes on at the offset, with nothing delivered and nothing known to be done. */
  void startAt(TopicPartition partition, long offset) {
    client.seek(partition, offset);
    // With nothing delivered yet, the position is what the next commit says.
    assignment.startAnew(partition).tracker().position(new OffsetAndMetadata(offset));
  }

  /** Polls on at a later offset, while what was polled before still waits until it is due. */
  void readOnAt(AssignedPartition partition, long offset) {
    client.seek(partition.partition(), offset);
    partition.readTo(new OffsetAndMetadata(offset));
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
