package dev.millrace.internal.consumer;

import dev.millrace.consumer.ConsumerExplanation;
import dev.millrace.consumer.ConsumerState;
import dev.millrace.consumer.SkipResult;
import java.time.Instant;
import java.util.Collection;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** What a user may ask of a running consumer. Any thread. */
interface Controls {

  CompletableFuture<@Nullable Void> pause();

  CompletableFuture<@Nullable Void> resume();

  CompletableFuture<@Nullable Void> pause(Collection<TopicPartition> partitions);

  CompletableFuture<@Nullable Void> resume(Collection<TopicPartition> partitions);

  Set<TopicPartition> paused();

  CompletableFuture<@Nullable Void> seek(TopicPartition partition, long offset);

  CompletableFuture<@Nullable Void> seekToBeginning(Collection<TopicPartition> partitions);

  CompletableFuture<@Nullable Void> seekToEnd(Collection<TopicPartition> partitions);

  CompletableFuture<@Nullable Void> seekToTimestamp(
      Collection<TopicPartition> partitions, Instant time);

  CompletableFuture<SkipResult> skip(TopicPartition partition, long offset);

  /**
   * Returns the partitions.
   *
   * @throws IllegalArgumentException when one is none that this consumer reads
   */
  Set<TopicPartition> checked(Collection<TopicPartition> partitions);

  /**
   * Asks the poll thread at once why all stands where it stands.
   *
   * @param state asked when the poll thread did not answer
   * @return waits for the answer, but no longer than a while from now
   */
  Supplier<ConsumerExplanation> explain(Supplier<ConsumerState> state, Thread pollThread);
}
