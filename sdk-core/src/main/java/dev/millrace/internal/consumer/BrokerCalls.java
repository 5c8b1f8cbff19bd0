package dev.millrace.internal.consumer;

import static dev.millrace.internal.command.WakeablePoll.unwoken;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.consumer.OffsetCommitCallback;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** The Kafka consumer's calls to a broker, but for the poll; no wake-up ends them. Poll thread. */
record BrokerCalls(Consumer<?, ?> consumer)
    implements OffsetCommitter.Client,
        PreviousWork.Client,
        SeekTargets.Client,
        AddedPartitions.Client {

  @Override
  public void commitAsync(
      Map<TopicPartition, OffsetAndMetadata> offsets, OffsetCommitCallback callback) {
    consumer.commitAsync(offsets, callback);
  }

  @Override
  public void commitSync(Map<TopicPartition, OffsetAndMetadata> offsets, Duration timeout) {
    boolean unused =
        unwoken(
            () -> {
              consumer.commitSync(offsets, timeout);
              return true;
            });
  }

  @Override
  public Map<TopicPartition, @Nullable OffsetAndMetadata> committed(
      Set<TopicPartition> partitions, Duration timeout) {
    return new HashMap<>(unwoken(() -> consumer.committed(partitions, timeout)));
  }

  @Override
  public Set<String> topics() {
    return consumer.subscription();
  }

  @Override
  public List<TopicPartition> partitionsOf(String topic, Duration timeout) {
    return unwoken(() -> consumer.partitionsFor(topic, timeout)).stream()
        .map(partition -> new TopicPartition(topic, partition.partition()))
        .toList();
  }

  @Override
  public Map<TopicPartition, Long> beginningOffsets(
      Collection<TopicPartition> partitions, Duration timeout) {
    return unwoken(() -> consumer.beginningOffsets(partitions, timeout));
  }

  @Override
  public Map<TopicPartition, Long> endOffsets(
      Collection<TopicPartition> partitions, Duration timeout) {
    return unwoken(() -> consumer.endOffsets(partitions, timeout));
  }

  @Override
  public Map<TopicPartition, @Nullable OffsetAndTimestamp> offsetsForTimes(
      Map<TopicPartition, Long> timestamps, Duration timeout) {
    return new HashMap<>(unwoken(() -> consumer.offsetsForTimes(timestamps, timeout)));
  }
}
