package dev.millrace.internal.consumer;

import dev.millrace.internal.delivery.LogThrottle;
import dev.millrace.internal.metrics.ConsumerMeters;
import dev.millrace.internal.offset.CompletedAhead;
import dev.millrace.internal.time.EngineClock;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetCommitCallback;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.OffsetMetadataTooLarge;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Commits what is finished: by interval while polling, at once when a partition leaves. Confined to
 * the poll thread, on which the client also calls back.
 *
 * <p>At most one asynchronous commit is on its way, so an older one can't overtake a newer one. A
 * commit that fails is not repeated: the next one says the same and more.
 */
final class OffsetCommitter {
  private static final Logger LOG = LoggerFactory.getLogger(OffsetCommitter.class);

  /** The coordinator writes a commit as one batch, and refuses all of it beyond 1 MiB. */
  private static final int MAX_CHARS_OF_ALL = 512 * 1024;

  /** What is used of the Kafka consumer. */
  interface Client {
    void commitAsync(Map<TopicPartition, OffsetAndMetadata> offsets, OffsetCommitCallback callback);

    void commitSync(Map<TopicPartition, OffsetAndMetadata> offsets, Duration timeout);
  }

  private final String consumer;
  private final Client client;
  private final ConsumerMeters meters;
  private final EngineClock clock;
  private final long intervalNanos;
  private final LogThrottle failureLog = new LogThrottle();
  private long dueNanos;
  private boolean onItsWay;
  private int metadataChars = CompletedAhead.MAX_CHARS;

  OffsetCommitter(
      String consumer, Client client, ConsumerMeters meters, Duration interval, EngineClock clock) {
    this.consumer = consumer;
    this.client = client;
    this.meters = meters;
    this.intervalNanos = interval.toNanos();
    this.clock = clock;
    this.dueNanos = clock.nanos() + intervalNanos;
  }

  /** Returns when {@link #commitIfDue} wants to be called again. */
  long dueNanos() {
    return dueNanos;
  }

  /** Sends a commit without waiting for it, if the interval has passed and there is news. */
  void commitIfDue(long nowNanos, Collection<AssignedPartition> partitions) {
    if (nowNanos - dueNanos < 0) {
      return;
    }
    dueNanos = nowNanos + intervalNanos;
    if (onItsWay) {
      return;
    }
    Map<AssignedPartition, OffsetAndMetadata> finished = finished(partitions);
    if (!finished.isEmpty()) {
      onItsWay = true;
      client.commitAsync(byName(finished), (offsets, failure) -> answered(finished, failure));
    }
  }

  /** Commits and waits for the answer; a failure is logged, since the partitions leave anyway. */
  void commitNow(Collection<AssignedPartition> partitions, Duration timeout) {
    KafkaException refusal = tryNow(partitions, timeout);
    if (refusal != null) {
      givenUp(partitions, refusal);
    }
  }

  /**
   * Commits and waits for the answer.
   *
   * @return why nothing was committed; null when all is, or there was nothing to commit
   */
  @Nullable KafkaException tryNow(Collection<AssignedPartition> partitions, Duration timeout) {
    Map<AssignedPartition, OffsetAndMetadata> finished = finished(partitions);
    if (finished.isEmpty()) {
      return null;
    }
    try {
      client.commitSync(byName(finished), timeout);
      acknowledge(finished);
      return null;
    } catch (OffsetMetadataTooLarge e) {
      shorten();
      return tryNow(partitions, timeout);
    } catch (KafkaException e) {
      failed(finished, e);
      return e;
    }
  }

  /** Says in the log what was finished, and remains uncommitted. */
  void givenUp(Collection<AssignedPartition> partitions, KafkaException refusal) {
    LOG.warn(
        "Consumer '{}' could not commit {} before giving its partitions up; their next owner will"
            + " handle some records again.",
        consumer,
        byName(finished(partitions)),
        refusal);
  }

  private void answered(
      Map<AssignedPartition, OffsetAndMetadata> finished, @Nullable Exception failure) {
    onItsWay = false;
    if (failure == null) {
      acknowledge(finished);
    } else if (failure instanceof OffsetMetadataTooLarge) {
      shorten();
    } else {
      failed(finished, failure);
      String end = failureLog.permit();
      if (end != null) {
        LOG.warn(
            "Consumer '{}' could not commit {}; the next commit repeats it: {}{}",
            consumer,
            byName(finished),
            failure.toString(),
            end);
      }
    }
  }

  /** The broker's limit may be below its default; it does not tell, so it is felt for. */
  private void shorten() {
    metadataChars /= 2;
    LOG.warn(
        "Consumer '{}': the broker refuses so much metadata in a commit; at most {} characters from"
            + " now on (see the broker's offset.metadata.max.bytes).",
        consumer,
        metadataChars);
  }

  private Map<AssignedPartition, OffsetAndMetadata> finished(
      Collection<AssignedPartition> partitions) {
    int chars = Math.min(metadataChars, MAX_CHARS_OF_ALL / Math.max(1, partitions.size()));
    Map<AssignedPartition, OffsetAndMetadata> finished = new HashMap<>();
    for (AssignedPartition partition : partitions) {
      OffsetAndMetadata offset = partition.tracker().committable(chars);
      if (offset != null) {
        finished.put(partition, offset);
      }
    }
    return finished;
  }

  private void acknowledge(Map<AssignedPartition, OffsetAndMetadata> finished) {
    Instant now = clock.now();
    finished.forEach(
        (partition, offset) -> {
          partition.tracker().committed(offset);
          partition.commits().acknowledged(offset.offset(), now);
        });
  }

  private void failed(Map<AssignedPartition, OffsetAndMetadata> finished, Exception failure) {
    meters.commitFailed();
    Instant now = clock.now();
    finished.keySet().forEach(partition -> partition.commits().failed(failure, now));
  }

  private static Map<TopicPartition, OffsetAndMetadata> byName(
      Map<AssignedPartition, OffsetAndMetadata> finished) {
    Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
    finished.forEach((partition, offset) -> offsets.put(partition.partition(), offset));
    return offsets;
  }
}
