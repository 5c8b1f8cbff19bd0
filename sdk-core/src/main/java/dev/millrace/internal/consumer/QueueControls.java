package dev.millrace.internal.consumer;

import dev.millrace.consumer.ConsumerExplanation;
import dev.millrace.consumer.ConsumerState;
import dev.millrace.consumer.SkipResult;
import dev.millrace.internal.time.EngineClock;
import java.time.Instant;
import java.util.Collection;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** What a user may ask of a queue's consumer; of single partitions and offsets, nothing. */
final class QueueControls implements Controls {
  private final String consumer;
  private final UserRequests requests;
  private final EngineClock clock;
  private final Assignment assignment;
  private final QueueLoop loop;

  QueueControls(
      String consumer,
      UserRequests requests,
      EngineClock clock,
      Assignment assignment,
      QueueLoop loop) {
    this.consumer = consumer;
    this.requests = requests;
    this.clock = clock;
    this.assignment = assignment;
    this.loop = loop;
  }

  @Override
  public CompletableFuture<@Nullable Void> pause() {
    Instant now = clock.now();
    return requests.ask("pause", () -> loop.pause(now));
  }

  @Override
  public CompletableFuture<@Nullable Void> resume() {
    return requests.ask("resume", loop::resume);
  }

  @Override
  public CompletableFuture<@Nullable Void> pause(Collection<TopicPartition> partitions) {
    throw unsupported("pause single partitions", "pause()");
  }

  @Override
  public CompletableFuture<@Nullable Void> resume(Collection<TopicPartition> partitions) {
    throw unsupported("resume single partitions", "resume()");
  }

  @Override
  public Set<TopicPartition> paused() {
    return loop.pausedSince().isPresent() ? assignment.names() : Set.of();
  }

  @Override
  public CompletableFuture<@Nullable Void> seek(TopicPartition partition, long offset) {
    throw noSeek();
  }

  @Override
  public CompletableFuture<@Nullable Void> seekToBeginning(Collection<TopicPartition> partitions) {
    throw noSeek();
  }

  @Override
  public CompletableFuture<@Nullable Void> seekToEnd(Collection<TopicPartition> partitions) {
    throw noSeek();
  }

  @Override
  public CompletableFuture<@Nullable Void> seekToTimestamp(
      Collection<TopicPartition> partitions, Instant time) {
    throw noSeek();
  }

  @Override
  public CompletableFuture<SkipResult> skip(TopicPartition partition, long offset) {
    throw unsupported("skip a record", "fewer attempts, or a dead-letter topic");
  }

  /** Nobody's own: each request that names some is refused by itself. */
  @Override
  public Set<TopicPartition> checked(Collection<TopicPartition> partitions) {
    return Set.copyOf(partitions);
  }

  @Override
  public Supplier<ConsumerExplanation> explain(Supplier<ConsumerState> state, Thread pollThread) {
    return requests.explain(state, pollThread);
  }

  private UnsupportedOperationException noSeek() {
    return unsupported("seek", "kafka-share-groups.sh --reset-offsets while nobody consumes");
  }

  private UnsupportedOperationException unsupported(String what, String instead) {
    return new UnsupportedOperationException(
        "Consumer '%s' can't %s: its mode is queue, whose partitions are nobody's own; use %s."
            .formatted(consumer, what, instead));
  }
}
