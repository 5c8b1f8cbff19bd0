package dev.millrace.internal.consumer;

import dev.millrace.internal.metrics.ConsumerMeters;
import dev.millrace.internal.offset.CompletedAhead;
import dev.millrace.internal.time.EngineClock;
import dev.millrace.internal.time.LogThrottle;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetCommitCallback;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.apache.kafka.common.errors.OffsetMetadataTooLarge;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Commits what is finished: by interval or count while polling, at once when a partition leaves.
 * Confined to the poll thread, on which the client also calls back.
 *
 * <p>At most one asynchronous commit is on its way, so an older one can't overtake a newer one. A
 * commit that fails is not repeated: the next one says the same and more. No failure ends the poll
 * loop but one: that another member with the same {@code group.instance.id} has taken this one's
 * place.
 *
 * <p>Where the group has no members, the brokers forget each offset {@code
 * offsets.retention.minutes} after its own commit, though its consumer runs. So there what was
 * committed is committed again, now and then.
 */
final class OffsetCommitter implements Commits {
  private static final Logger LOG = LoggerFactory.getLogger(OffsetCommitter.class);

  /** Rarely enough to cost nothing, and often enough for any retention that makes sense. */
  private static final long REPEAT_NANOS = TimeUnit.MINUTES.toNanos(10);

  /** What is used of the Kafka consumer. */
  interface Client {
    void commitAsync(Map<TopicPartition, OffsetAndMetadata> offsets, OffsetCommitCallback callback);

    void commitSync(Map<TopicPartition, OffsetAndMetadata> offsets, Duration timeout);
  }

  private final String consumer;
  private final Promise promise;
  private final Client client;
  private final ConsumerMeters meters;
  private final EngineClock clock;
  private final long intervalNanos;
  private final long enoughRecords;
  private final boolean hasMembers;
  private final Consumer<Throwable> onFenced;
  private final LogThrottle failureLog = new LogThrottle();
  private long dueNanos;
  private long repeatNanos;
  private long endedAtLast;
  private boolean onItsWay;
  private int metadataChars = CompletedAhead.MAX_CHARS;

  /**
   * @param records how many ended records are enough for a commit before the interval has passed; 0
   *     when none are
   * @param hasMembers whether this consumer is a member of its group
   * @param onFenced told that another member has this one's place, so that it must end
   */
  OffsetCommitter(
      String consumer,
      Promise promise,
      Client client,
      ConsumerMeters meters,
      Duration interval,
      int records,
      boolean hasMembers,
      Consumer<Throwable> onFenced,
      EngineClock clock) {
    this.consumer = consumer;
    this.promise = promise;
    this.client = client;
    this.meters = meters;
    this.intervalNanos = interval.toNanos();
    this.enoughRecords = records == 0 ? Long.MAX_VALUE : records;
    this.hasMembers = hasMembers;
    this.onFenced = onFenced;
    this.clock = clock;
    this.dueNanos = clock.nanos() + intervalNanos;
    // First at the start: a process that never lives for so long must not let them expire either.
    this.repeatNanos = dueNanos;
  }

  @Override
  public long dueNanos() {
    return dueNanos;
  }

  /**
   * Sends a commit without waiting for it, if the interval has passed or enough records have ended,
   * and there is news.
   *
   * @param ended how many records have ever ended
   */
  @Override
  public void commitIfDue(long nowNanos, long ended, Collection<AssignedPartition> partitions) {
    if (nowNanos - dueNanos < 0 && ended - endedAtLast < enoughRecords) {
      return;
    }
    dueNanos = nowNanos + intervalNanos;
    if (onItsWay) {
      return;
    }
    endedAtLast = ended;
    Map<AssignedPartition, OffsetAndMetadata> finished = finished(partitions);
    if (!hasMembers && nowNanos - repeatNanos >= 0) {
      repeatNanos = nowNanos + REPEAT_NANOS;
      addSaved(finished, partitions);
    }
    if (!finished.isEmpty()) {
      send(finished);
    }
  }

  /** What there is no news of. */
  private static void addSaved(
      Map<AssignedPartition, OffsetAndMetadata> finished,
      Collection<AssignedPartition> partitions) {
    for (AssignedPartition partition : partitions) {
      OffsetAndMetadata saved = partition.tracker().saved();
      if (saved != null) {
        finished.putIfAbsent(partition, saved);
      }
    }
  }

  private void send(Map<AssignedPartition, OffsetAndMetadata> finished) {
    onItsWay = true;
    try {
      client.commitAsync(byName(finished), (offsets, failure) -> answered(finished, failure));
    } catch (KafkaException e) {
      // The answer to an earlier one, such as that this member is fenced.
      answered(finished, e);
    }
  }

  /**
   * Commits and waits for the answer.
   *
   * @return why nothing was committed; null when all is, or there was nothing to commit
   */
  @Override
  public @Nullable KafkaException tryNow(
      Collection<AssignedPartition> partitions, Duration timeout) {
    Map<AssignedPartition, OffsetAndMetadata> finished = finished(partitions);
    if (finished.isEmpty()) {
      return null;
    }
    KafkaException refusal = tryNow(finished, timeout);
    if (refusal instanceof OffsetMetadataTooLarge) {
      shorten();
      return tryNow(partitions, timeout);
    }
    return refusal;
  }

  /**
   * Commits these and waits for the answer.
   *
   * @return why it is not known that all is committed; null when all is
   */
  @Nullable KafkaException tryNow(
      Map<AssignedPartition, OffsetAndMetadata> offsets, Duration timeout) {
    try {
      client.commitSync(byName(offsets), timeout);
      acknowledge(offsets);
      return null;
    } catch (OffsetMetadataTooLarge e) {
      return e;
    } catch (KafkaException e) {
      failed(offsets, e);
      fenced(e);
      return e;
    }
  }

  @Override
  public void givenUp(Collection<AssignedPartition> partitions, KafkaException refusal) {
    LOG.warn(
        "Consumer '{}' could not commit {} before giving its partitions up; their next owner goes on"
            + " where the last commit says.",
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
      String end = fenced(failure) ? null : failureLog.permit();
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

  /** All other failures are for the next commit: it says the same and more. */
  private boolean fenced(Exception failure) {
    boolean fenced = failure instanceof FencedInstanceIdException;
    if (fenced) {
      onFenced.accept(failure);
    }
    return fenced;
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
    int chars = Math.min(metadataChars, CommitSize.ofMany(partitions.size()));
    Map<AssignedPartition, OffsetAndMetadata> finished = new HashMap<>();
    for (AssignedPartition partition : partitions) {
      OffsetAndMetadata offset = promise.committable(partition.tracker(), chars);
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
