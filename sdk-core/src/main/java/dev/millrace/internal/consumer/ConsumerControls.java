package dev.millrace.internal.consumer;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.consumer.ConsumerExplanation;
import dev.millrace.consumer.ConsumerState;
import dev.millrace.consumer.SkipResult;
import dev.millrace.internal.time.EngineClock;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** What a user may ask of a consumer of partitions, as commands to its poll thread. Any thread. */
final class ConsumerControls implements Controls {
  private final ConsumerDefinition definition;
  private final Reading reading;
  private final UserRequests requests;
  private final EngineClock clock;
  private final IntakeGate gate;
  private final Seeker seeker;
  private final SeekTargets targets;
  private final Skipper skipper;

  ConsumerControls(
      ConsumerDefinition definition,
      Reading reading,
      UserRequests requests,
      EngineClock clock,
      IntakeGate gate,
      Seeker seeker,
      SeekTargets targets,
      Skipper skipper) {
    this.definition = definition;
    this.reading = reading;
    this.requests = requests;
    this.clock = clock;
    this.gate = gate;
    this.seeker = seeker;
    this.targets = targets;
    this.skipper = skipper;
  }

  @Override
  public CompletableFuture<@Nullable Void> pause() {
    Instant now = clock.now();
    return requests.ask("pause", () -> gate.byUser(before -> UserPauses.everything(now)));
  }

  @Override
  public CompletableFuture<@Nullable Void> resume() {
    return requests.ask("resume", () -> gate.byUser(before -> UserPauses.NONE));
  }

  @Override
  public CompletableFuture<@Nullable Void> pause(Collection<TopicPartition> wanted) {
    Set<TopicPartition> partitions = checked(wanted);
    Instant now = clock.now();
    return requests.ask(
        "pause " + partitions, () -> gate.byUser(before -> before.with(partitions, now)));
  }

  @Override
  public CompletableFuture<@Nullable Void> resume(Collection<TopicPartition> wanted) {
    Set<TopicPartition> partitions = checked(wanted);
    return requests.ask(
        "resume " + partitions, () -> gate.byUser(before -> before.without(partitions)));
  }

  @Override
  public Set<TopicPartition> paused() {
    return gate.pausedByUser();
  }

  @Override
  public CompletableFuture<@Nullable Void> seek(TopicPartition partition, long offset) {
    return seek(Set.of(partition), "to " + offset, one -> targets.offset(partition, offset));
  }

  @Override
  public CompletableFuture<@Nullable Void> seekToBeginning(Collection<TopicPartition> partitions) {
    return seek(partitions, "to the beginning", targets::beginning);
  }

  @Override
  public CompletableFuture<@Nullable Void> seekToEnd(Collection<TopicPartition> partitions) {
    return seek(partitions, "to the end", targets::end);
  }

  @Override
  public CompletableFuture<@Nullable Void> seekToTimestamp(
      Collection<TopicPartition> partitions, Instant time) {
    if (time.isBefore(Instant.EPOCH)) {
      throw new IllegalArgumentException(
          "Consumer '%s' can't seek to %s: timestamps begin at %s."
              .formatted(definition.name(), time, Instant.EPOCH));
    }
    return seek(
        partitions,
        "to " + time,
        owned -> seeker.beforeWhatWaits(targets.timestamp(owned, time), targets::beginning));
  }

  private CompletableFuture<@Nullable Void> seek(
      Collection<TopicPartition> wanted,
      String where,
      Function<Collection<TopicPartition>, Map<TopicPartition, Long>> target) {
    Set<TopicPartition> partitions = checked(wanted);
    return requests.ask(
        "seek in " + partitions + " " + where, () -> seeker.seek(partitions, target));
  }

  @Override
  public CompletableFuture<SkipResult> skip(TopicPartition partition, long offset) {
    Set<TopicPartition> one = checked(Set.of(partition));
    return requests.ask("skip " + one + "@" + offset, () -> skipper.skip(partition, offset));
  }

  @Override
  public Supplier<ConsumerExplanation> explain(Supplier<ConsumerState> state, Thread pollThread) {
    return requests.explain(state, pollThread);
  }

  /** Poll thread, which needs not ask itself. */
  ConsumerExplanation explainNow(ConsumerState state) {
    return requests.explainNow(state);
  }

  @Override
  public Set<TopicPartition> checked(Collection<TopicPartition> partitions) {
    List<TopicPartition> strange =
        partitions.stream().filter(name -> !reading.includes(name)).toList();
    if (!strange.isEmpty()) {
      throw new IllegalArgumentException(
          "Consumer '%s' does not read %s; its topics are %s."
              .formatted(definition.name(), strange, definition.subscription()));
    }
    return Set.copyOf(partitions);
  }
}
