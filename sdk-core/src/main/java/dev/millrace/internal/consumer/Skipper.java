package dev.millrace.internal.consumer;

import dev.millrace.consumer.SkipResult;
import dev.millrace.internal.channel.Delivery;
import dev.millrace.internal.delivery.Pipeline;
import dev.millrace.internal.metrics.ConsumerMeters;
import dev.millrace.internal.offset.OffsetTicket;
import java.util.OptionalLong;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Passes over single records while the consumer runs. Confined to the poll thread.
 *
 * <p>Invariant: a record that is to be skipped ends once, and never waits again. Who wants it says
 * so first, and then skips it if it waits; who has it wait lets it wait first, and then looks
 * whether it is to be skipped.
 */
final class Skipper {
  private static final Logger LOG = LoggerFactory.getLogger(Skipper.class);

  private final String consumer;
  private final Assignment assignment;
  private final Pipeline pipeline;
  private final ConsumerMeters meters;

  Skipper(String consumer, Assignment assignment, Pipeline pipeline, ConsumerMeters meters) {
    this.consumer = consumer;
    this.assignment = assignment;
    this.pipeline = pipeline;
    this.meters = meters;
  }

  /**
   * Skips a record.
   *
   * @throws IllegalStateException when the partition is not owned
   */
  SkipResult skip(TopicPartition partition, long offset) {
    AssignedPartition owned = assignment.get(partition);
    if (owned == null) {
      throw new IllegalStateException(
          "Consumer '%s' can't skip a record of %s, which it does not own now; it owns %s."
              .formatted(consumer, partition, assignment.names()));
    }
    SkipResult result = skip(owned, offset);
    LOG.warn("Consumer '{}' was told to skip {}@{}: {}.", consumer, partition, offset, result);
    return result;
  }

  private SkipResult skip(AssignedPartition partition, long offset) {
    for (OffsetTicket ticket : partition.tracker().open()) {
      if (ticket.offset() == offset) {
        return ticket.holder() instanceof Delivery delivery
            ? skip(delivery)
            : SkipResult.ENDED_BEFORE;
      }
    }
    if (partition.drop(offset)) {
      meters.skipped();
      return SkipResult.SKIPPED;
    }
    if (partition.notDue().isBehind(offset)) {
      return SkipResult.ENDED_BEFORE;
    }
    OptionalLong position = partition.tracker().position();
    return position.isPresent() && offset < position.getAsLong()
        ? SkipResult.ENDED_BEFORE
        : SkipResult.NOT_TAKEN;
  }

  private SkipResult skip(Delivery delivery) {
    if (delivery.skip()) {
      pipeline.skipped(delivery);
      return SkipResult.SKIPPED;
    }
    return delivery.ticket().isDone() ? SkipResult.ENDED_BEFORE : SkipResult.WHEN_IT_FAILS;
  }
}
