package dev.millrace.testing;

import dev.millrace.internal.client.ConsumerSettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.consumer.OffsetCommitCallback;
import org.apache.kafka.clients.consumer.RetriableCommitFailedException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * The Kafka client of a process, the only one of its group. With the real one's habits: rebalances
 * and answers to commits come inside a poll. It waits for nothing. One thread.
 */
final class GroupMember extends MockConsumer<byte[], byte[]> {
  private enum Change {
    NONE,
    JOIN,
    REBALANCE,
    LOSS
  }

  private final Cluster cluster;
  private final HeldPartitions held;
  private final List<Runnable> answers = new ArrayList<>();
  private @Nullable ConsumerRebalanceListener listener;
  private Change next = Change.JOIN;
  private boolean rebalancing;
  private boolean broughtSomething;
  private Duration lastWait = Duration.ZERO;

  GroupMember(Cluster cluster, ConsumerSettings settings) {
    super("none");
    this.cluster = cluster;
    this.held = new HeldPartitions(cluster, settings.maxPollRecords());
  }

  // What the driver asks.

  /** The next poll gives all partitions up and gets them again. */
  void rebalance() {
    next = next == Change.JOIN ? Change.JOIN : Change.REBALANCE;
  }

  /** The next poll finds that the session has expired, and joins anew. */
  void lose() {
    next = next == Change.JOIN ? Change.JOIN : Change.LOSS;
  }

  /** Returns whether partitions come or go at this moment. */
  boolean isRebalancing() {
    return rebalancing;
  }

  /** Returns whether the last poll has brought anything, or the next one will. */
  boolean hasNews() {
    return broughtSomething || !answers.isEmpty();
  }

  /** Returns how long the last poll would have waited for records. */
  Duration lastWait() {
    return lastWait;
  }

  // What the engine asks.

  @Override
  public void subscribe(Collection<String> topics, ConsumerRebalanceListener engine) {
    listener = engine;
  }

  @Override
  public synchronized ConsumerRecords<byte[], byte[]> poll(Duration timeout) {
    lastWait = timeout;
    broughtSomething = next != Change.NONE || !answers.isEmpty();
    List<Runnable> arrived = List.copyOf(answers);
    answers.clear();
    arrived.forEach(Runnable::run);
    changeMembership();
    ConsumerRecords<byte[], byte[]> records = held.fetch();
    broughtSomething |= !records.isEmpty();
    return records;
  }

  private void changeMembership() {
    Change change = next;
    next = Change.NONE;
    if (change == Change.NONE || listener == null) {
      return;
    }
    rebalancing = true;
    try {
      switch (change) {
        case REBALANCE -> listener.onPartitionsRevoked(held.names());
        case LOSS -> listener.onPartitionsLost(held.names());
        default -> {}
      }
      held.remove(held.names());
      held.add(cluster.partitions());
      listener.onPartitionsAssigned(held.names());
    } finally {
      rebalancing = false;
    }
  }

  @Override
  public synchronized void seek(TopicPartition partition, long offset) {
    held.seek(partition, offset);
  }

  @Override
  public synchronized void pause(Collection<TopicPartition> partitions) {
    held.pause(partitions);
  }

  @Override
  public synchronized void resume(Collection<TopicPartition> partitions) {
    held.resume(partitions);
  }

  @Override
  public synchronized OptionalLong currentLag(TopicPartition partition) {
    return held.lag(partition);
  }

  @Override
  public synchronized void commitAsync(
      Map<TopicPartition, OffsetAndMetadata> offsets, OffsetCommitCallback callback) {
    boolean taken = cluster.commit(offsets);
    answers.add(
        () ->
            callback.onComplete(
                offsets,
                taken
                    ? null
                    : new RetriableCommitFailedException(
                        "failed as the test wants it, by failCommits")));
  }

  /** The real one tries again until its time is up. */
  @Override
  public void commitSync(Map<TopicPartition, OffsetAndMetadata> offsets, Duration timeout) {
    if (!cluster.commit(offsets)) {
      throw new TimeoutException("failed as the test wants it, by failCommits");
    }
  }

  @Override
  public synchronized Map<TopicPartition, OffsetAndMetadata> committed(
      Set<TopicPartition> partitions, Duration timeout) {
    Map<TopicPartition, OffsetAndMetadata> found = new HashMap<>();
    partitions.forEach(partition -> found.put(partition, cluster.committed(partition)));
    return found;
  }

  @Override
  public synchronized Map<TopicPartition, Long> beginningOffsets(
      Collection<TopicPartition> partitions, Duration timeout) {
    Map<TopicPartition, Long> found = new HashMap<>();
    partitions.forEach(partition -> found.put(partition, 0L));
    return found;
  }

  @Override
  public synchronized Map<TopicPartition, Long> endOffsets(
      Collection<TopicPartition> partitions, Duration timeout) {
    return cluster.ends(partitions);
  }

  @Override
  public synchronized Map<TopicPartition, OffsetAndTimestamp> offsetsForTimes(
      Map<TopicPartition, Long> timestamps, Duration timeout) {
    Map<TopicPartition, OffsetAndTimestamp> found = new HashMap<>();
    timestamps.forEach(
        (partition, timestamp) -> {
          long offset = cluster.firstSince(partition, timestamp);
          boolean none = offset == cluster.end(partition);
          found.put(partition, none ? null : new OffsetAndTimestamp(offset, timestamp));
        });
    return found;
  }

  @Override
  public void close(CloseOptions options) {
    held.remove(held.names());
  }
}
