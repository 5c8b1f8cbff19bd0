package dev.millrace.internal.consumer;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.consumer.ConsumerExplanation;
import dev.millrace.consumer.ConsumerExplanation.Silence;
import dev.millrace.consumer.ConsumerState;
import dev.millrace.errors.ConsumerClosedException;
import dev.millrace.errors.MillraceException;
import dev.millrace.internal.time.EngineClock;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a user may ask of a running consumer, as commands to its poll thread. Any thread.
 *
 * <p>Users get a future of their own, completed by a pool's thread: what they hang on it may block,
 * and must not do so on the poll thread.
 */
final class ConsumerControls {
  private static final Logger LOG = LoggerFactory.getLogger(ConsumerControls.class);
  private static final Duration EXPLAIN_WITHIN = Duration.ofSeconds(2);

  private final ConsumerDefinition definition;
  private final Reading reading;
  private final CommandQueue commands;
  private final EngineClock clock;
  private final IntakeGate gate;
  private final Seeker seeker;
  private final SeekTargets targets;
  private final Explainer explainer;

  ConsumerControls(
      ConsumerDefinition definition,
      Reading reading,
      CommandQueue commands,
      EngineClock clock,
      IntakeGate gate,
      Seeker seeker,
      SeekTargets targets,
      Explainer explainer) {
    this.definition = definition;
    this.reading = reading;
    this.commands = commands;
    this.clock = clock;
    this.gate = gate;
    this.seeker = seeker;
    this.targets = targets;
    this.explainer = explainer;
  }

  CompletableFuture<@Nullable Void> pause() {
    Instant now = clock.now();
    return ask("pause", () -> gate.byUser(before -> UserPauses.everything(now)));
  }

  CompletableFuture<@Nullable Void> resume() {
    return ask("resume", () -> gate.byUser(before -> UserPauses.NONE));
  }

  CompletableFuture<@Nullable Void> pause(Collection<TopicPartition> wanted) {
    Set<TopicPartition> partitions = checked(wanted);
    Instant now = clock.now();
    return ask("pause " + partitions, () -> gate.byUser(before -> before.with(partitions, now)));
  }

  CompletableFuture<@Nullable Void> resume(Collection<TopicPartition> wanted) {
    Set<TopicPartition> partitions = checked(wanted);
    return ask("resume " + partitions, () -> gate.byUser(before -> before.without(partitions)));
  }

  Set<TopicPartition> paused() {
    return gate.pausedByUser();
  }

  CompletableFuture<@Nullable Void> seek(TopicPartition partition, long offset) {
    return seek(Set.of(partition), "to " + offset, one -> targets.offset(partition, offset));
  }

  CompletableFuture<@Nullable Void> seekToBeginning(Collection<TopicPartition> partitions) {
    return seek(partitions, "to the beginning", targets::beginning);
  }

  CompletableFuture<@Nullable Void> seekToEnd(Collection<TopicPartition> partitions) {
    return seek(partitions, "to the end", targets::end);
  }

  CompletableFuture<@Nullable Void> seekToTimestamp(
      Collection<TopicPartition> partitions, Instant time) {
    if (time.isBefore(Instant.EPOCH)) {
      throw new IllegalArgumentException(
          "Consumer '%s' can't seek to %s: timestamps begin at %s."
              .formatted(definition.name(), time, Instant.EPOCH));
    }
    return seek(partitions, "to " + time, owned -> targets.timestamp(owned, time));
  }

  private CompletableFuture<@Nullable Void> seek(
      Collection<TopicPartition> wanted,
      String where,
      Function<Collection<TopicPartition>, Map<TopicPartition, Long>> target) {
    Set<TopicPartition> partitions = checked(wanted);
    return ask("seek in " + partitions + " " + where, () -> seeker.seek(partitions, target));
  }

  /**
   * Asks the poll thread at once.
   *
   * @param state asked when the poll thread did not answer
   * @return waits for the answer, but no longer than a while from now
   */
  Supplier<ConsumerExplanation> explain(Supplier<ConsumerState> state, Thread pollThread) {
    CompletableFuture<ConsumerExplanation> answer =
        commands.ask("explain itself", () -> explainer.explain(state.get()));
    long asked = clock.nanos();
    return () -> explanation(answer, asked, state, pollThread);
  }

  private ConsumerExplanation explanation(
      CompletableFuture<ConsumerExplanation> answer,
      long asked,
      Supplier<ConsumerState> state,
      Thread pollThread) {
    long left = EXPLAIN_WITHIN.toNanos() - (clock.nanos() - asked);
    try {
      return answer.get(Math.max(0, left), TimeUnit.NANOSECONDS);
    } catch (ExecutionException e) {
      if (!(e.getCause() instanceof ConsumerClosedException)) {
        throw new MillraceException(
            "Consumer '%s' could not explain itself.".formatted(definition.name()), e.getCause());
      }
    } catch (TimeoutException e) {
      answer.cancel(false);
    } catch (InterruptedException e) {
      answer.cancel(false);
      Thread.currentThread().interrupt();
    }
    ConsumerState known = state.get();
    boolean hasEnded = known == ConsumerState.CLOSED || known == ConsumerState.FAILED;
    return explainer.fromOutside(
        known,
        hasEnded
            ? Optional.empty()
            : Optional.of(
                new Silence(
                    Duration.ofNanos(clock.nanos() - asked), Stacks.innermost(pollThread))));
  }

  /** Poll thread, which needs not ask itself. */
  ConsumerExplanation explainNow(ConsumerState state) {
    return explainer.explain(state);
  }

  private CompletableFuture<@Nullable Void> ask(String what, Runnable work) {
    Supplier<@Nullable Void> logged =
        () -> {
          work.run();
          LOG.info("Consumer '{}' was told to {}.", definition.name(), what);
          return null;
        };
    return commands.<@Nullable Void>ask(what, logged).whenCompleteAsync((done, failure) -> {});
  }

  /**
   * Returns the partitions.
   *
   * @throws IllegalArgumentException when one is not of the consumer's topics
   */
  Set<TopicPartition> checked(Collection<TopicPartition> partitions) {
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
