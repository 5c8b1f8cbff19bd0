package dev.millrace.testing;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Set;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetCommitCallback;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** The Kafka client of one of several processes, whose partitions come and go one by one. */
final class OrderMember extends MockConsumer<byte[], byte[]> {

  /** Who says what is whose. */
  interface Group {
    boolean wants(TopicPartition partition);

    /** Returns whether it was nobody's, and is the caller's now. */
    boolean take(TopicPartition partition);

    void release(TopicPartition partition);
  }

  private final Cluster cluster;
  private final Group group;
  private final HeldPartitions held;
  private final List<Runnable> answers = new ArrayList<>();
  private @Nullable ConsumerRebalanceListener listener;
  private boolean rebalancing;
  private boolean lost;

  OrderMember(Cluster cluster, Group group, int maxPollRecords) {
    super("none");
    this.cluster = cluster;
    this.group = group;
    this.held = new HeldPartitions(cluster, maxPollRecords);
  }

  /** The group has thrown it out; it learns of it in its next poll, or from a commit. */
  void lose() {
    lost = true;
  }

  boolean isRebalancing() {
    return rebalancing;
  }

  @Override
  public void subscribe(Collection<String> topics, ConsumerRebalanceListener engine) {
    listener = engine;
  }

  @Override
  public synchronized ConsumerRecords<byte[], byte[]> poll(Duration timeout) {
    List<Runnable> arrived = List.copyOf(answers);
    answers.clear();
    arrived.forEach(Runnable::run);
    rebalancing = true;
    changeMembership(Objects.requireNonNull(listener));
    rebalancing = false;
    return held.fetch();
  }

  private void changeMembership(ConsumerRebalanceListener engine) {
    if (lost) {
      List<TopicPartition> gone = held.names();
      lost = false;
      held.remove(gone);
      engine.onPartitionsLost(gone);
    }
    List<TopicPartition> leaving =
        held.names().stream().filter(partition -> !group.wants(partition)).toList();
    if (!leaving.isEmpty()) {
      engine.onPartitionsRevoked(leaving);
      held.remove(leaving);
      leaving.forEach(group::release);
    }
    List<TopicPartition> coming =
        cluster.partitions().stream()
            .filter(partition -> group.wants(partition) && !held.contains(partition))
            .filter(group::take)
            .toList();
    if (!coming.isEmpty()) {
      held.add(coming);
      engine.onPartitionsAssigned(coming);
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
    return OptionalLong.empty();
  }

  @Override
  public synchronized void commitAsync(
      Map<TopicPartition, OffsetAndMetadata> offsets, OffsetCommitCallback callback) {
    boolean taken = !lost && cluster.commit(offsets);
    answers.add(
        () -> callback.onComplete(offsets, taken ? null : new CommitFailedException("thrown out")));
  }

  @Override
  public void commitSync(Map<TopicPartition, OffsetAndMetadata> offsets, Duration timeout) {
    if (lost || !cluster.commit(offsets)) {
      throw new CommitFailedException("thrown out");
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
  public void close(CloseOptions options) {
    held.remove(held.names());
  }
}
