package dev.millrace.internal.consumer;

import dev.millrace.consumer.ConsumerExplanation;
import dev.millrace.consumer.ConsumerState;
import dev.millrace.consumer.SkipResult;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * What a user asks of a consumer, asked of those of its instances that it concerns. Any thread.
 *
 * <p>Invariant: all instances are told of pauses, in the same order, whatever they own. Each keeps
 * them by name, so a partition that moves from one to another stays paused.
 */
final class InstanceControls {
  private final String consumer;
  private final List<EngineInstance> instances;
  private final ReentrantLock telling = new ReentrantLock();

  InstanceControls(String consumer, List<EngineInstance> instances) {
    this.consumer = consumer;
    this.instances = instances;
  }

  Set<TopicPartition> assignment() {
    return union(instance -> instance.engine().assignedNames());
  }

  Set<TopicPartition> paused() {
    return union(instance -> instance.engine().controls().paused());
  }

  private Set<TopicPartition> union(Function<EngineInstance, Set<TopicPartition>> part) {
    Set<TopicPartition> all = new HashSet<>();
    instances.forEach(instance -> all.addAll(part.apply(instance)));
    return Set.copyOf(all);
  }

  CompletableFuture<@Nullable Void> pause() {
    return tellAll(Controls::pause);
  }

  CompletableFuture<@Nullable Void> resume() {
    return tellAll(Controls::resume);
  }

  CompletableFuture<@Nullable Void> pause(Collection<TopicPartition> partitions) {
    return tellAll(controls -> controls.pause(partitions));
  }

  CompletableFuture<@Nullable Void> resume(Collection<TopicPartition> partitions) {
    return tellAll(controls -> controls.resume(partitions));
  }

  private CompletableFuture<@Nullable Void> tellAll(
      Function<Controls, CompletableFuture<@Nullable Void>> what) {
    telling.lock();
    try {
      return all(
          instances.stream().map(instance -> what.apply(instance.engine().controls())).toList());
    } finally {
      telling.unlock();
    }
  }

  CompletableFuture<@Nullable Void> seek(TopicPartition partition, long offset) {
    return tellOwners(Set.of(partition), (controls, its) -> controls.seek(partition, offset));
  }

  CompletableFuture<@Nullable Void> seekToBeginning(Collection<TopicPartition> partitions) {
    return tellOwners(partitions, Controls::seekToBeginning);
  }

  CompletableFuture<@Nullable Void> seekToEnd(Collection<TopicPartition> partitions) {
    return tellOwners(partitions, Controls::seekToEnd);
  }

  CompletableFuture<@Nullable Void> seekToTimestamp(
      Collection<TopicPartition> partitions, Instant time) {
    return tellOwners(partitions, (controls, its) -> controls.seekToTimestamp(its, time));
  }

  CompletableFuture<SkipResult> skip(TopicPartition partition, long offset) {
    return owner(partition).engine().controls().skip(partition, offset);
  }

  /** What nobody owns the first one is asked for, which says so. */
  private CompletableFuture<@Nullable Void> tellOwners(
      Collection<TopicPartition> wanted,
      BiFunction<Controls, Collection<TopicPartition>, CompletableFuture<@Nullable Void>> what) {
    Map<EngineInstance, Set<TopicPartition>> byOwner = new HashMap<>();
    for (TopicPartition partition : first().engine().controls().checked(wanted)) {
      byOwner.computeIfAbsent(owner(partition), first -> new HashSet<>()).add(partition);
    }
    return all(
        byOwner.entrySet().stream()
            .map(entry -> what.apply(entry.getKey().engine().controls(), entry.getValue()))
            .toList());
  }

  private EngineInstance owner(TopicPartition partition) {
    return instances.stream()
        .filter(instance -> instance.engine().assignedNames().contains(partition))
        .findFirst()
        .orElse(first());
  }

  private EngineInstance first() {
    return instances.get(0);
  }

  private static CompletableFuture<@Nullable Void> all(
      List<CompletableFuture<@Nullable Void>> parts) {
    return parts.size() == 1
        ? parts.get(0)
        : CompletableFuture.allOf(parts.toArray(CompletableFuture[]::new))
            .<@Nullable Void>thenApply(done -> null);
  }

  /** Asks all of them before it waits for one. */
  ConsumerExplanation explain(Supplier<ConsumerState> state) {
    List<Supplier<ConsumerExplanation>> asked =
        instances.stream()
            .map(instance -> instance.engine().controls().explain(state, instance.pollThread()))
            .toList();
    return asked.stream()
        .map(Supplier::get)
        .collect(
            Collectors.collectingAndThen(
                Collectors.toList(), parts -> JoinedExplanation.of(consumer, parts)));
  }
}
