package dev.millrace.internal.consumer;

import dev.millrace.internal.time.LogThrottle;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes partitions back to where their last commit left them, after a transaction that was not
 * committed, or of which nobody knows. Confined to the poll thread.
 *
 * <p>Invariant: what was delivered before counts for nothing after. Each partition gets a new
 * tracker; a handler that returns late ends a ticket that was taken back.
 */
final class Rewind {
  private static final Logger LOG = LoggerFactory.getLogger(Rewind.class);

  /** Short against the poll's interval: it is tried again. */
  private static final Duration BOUND = Duration.ofSeconds(5);

  /** What has become of the transaction that was in doubt. */
  enum Result {
    COMMITTED,
    UNDONE,
    NOT_KNOWN
  }

  private final String consumer;
  private final Consumer<?, ?> client;
  private final PreviousWork.Client committed;
  private final Assignment assignment;
  private final LogThrottle log = new LogThrottle();

  Rewind(
      String consumer,
      Consumer<?, ?> client,
      PreviousWork.Client committed,
      Assignment assignment) {
    this.consumer = consumer;
    this.client = client;
    this.committed = committed;
    this.assignment = assignment;
  }

  /**
   * Takes all of them back, or none.
   *
   * @param inDoubt what the transaction would have committed; it can't be committed any more
   */
  Result toLastCommit(
      List<AssignedPartition> partitions, Map<AssignedPartition, OffsetAndMetadata> inDoubt) {
    boolean isCommitted;
    try {
      isCommitted = isCommitted(inDoubt);
    } catch (KafkaException e) {
      String end = log.permit();
      if (end != null) {
        LOG.warn(
            "Consumer '{}' can't find out whether {} was committed, and ends none of their records"
                + " until it can: {}{}",
            consumer,
            inDoubt.values(),
            e.toString(),
            end);
      }
      return Result.NOT_KNOWN;
    }
    if (isCommitted) {
      inDoubt.forEach(AssignedPartition::committed);
    }
    partitions.forEach(this::rewind);
    return isCommitted ? Result.COMMITTED : Result.UNDONE;
  }

  /**
   * All of it is, or nothing. What can tell is a partition that has been ours ever since, since the
   * next owner of another one may have committed the very same; and only one whose offset it would
   * have changed.
   */
  private boolean isCommitted(Map<AssignedPartition, OffsetAndMetadata> tried) {
    Map<TopicPartition, OffsetAndMetadata> inDoubt = new HashMap<>();
    tried.forEach(
        (partition, offset) -> {
          AssignedPartition now = assignment.get(partition.partition());
          if (now != null && now.isOfTheSameTimeAs(partition) && !partition.isKnown(offset)) {
            inDoubt.put(partition.partition(), offset);
          }
        });
    if (inDoubt.isEmpty()) {
      return false;
    }
    // The client asks for stable offsets only, so markers that are still on their way are waited
    // for.
    Map<TopicPartition, @Nullable OffsetAndMetadata> found =
        committed.committed(inDoubt.keySet(), BOUND);
    return inDoubt.entrySet().stream()
        .allMatch(asked -> isSame(asked.getValue(), found.get(asked.getKey())));
  }

  private static boolean isSame(OffsetAndMetadata tried, @Nullable OffsetAndMetadata found) {
    return found != null
        && found.offset() == tried.offset()
        && Objects.equals(found.metadata(), tried.metadata());
  }

  private void rewind(AssignedPartition partition) {
    long offset = partition.base();
    if (offset < 0) {
      return; // Nothing was delivered of it.
    }
    try {
      client.seek(partition.partition(), offset);
    } catch (IllegalStateException gone) {
      // Under KIP-848 the client may have lost it meanwhile: its next owner polls it.
      LOG.debug("Not taken back", gone);
    }
    assignment.replace(partition.atBase(offset));
  }
}
