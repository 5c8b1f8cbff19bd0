package dev.millrace.internal.consumer;

import dev.millrace.consumer.ConsumerExplanation;
import dev.millrace.consumer.ConsumerExplanation.Silence;
import dev.millrace.consumer.ConsumerState;
import dev.millrace.errors.ConsumerClosedException;
import dev.millrace.internal.command.CommandQueue;
import dev.millrace.internal.time.EngineClock;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts what a user asks for to the poll thread. Any thread.
 *
 * <p>Users get a future of their own, completed by a pool's thread: what they hang on it may block,
 * and must not do so on the poll thread.
 */
final class UserRequests {
  private static final Logger LOG = LoggerFactory.getLogger(UserRequests.class);
  private static final Duration EXPLAIN_WITHIN = Duration.ofSeconds(2);

  private final String consumer;
  private final CommandQueue commands;
  private final EngineClock clock;
  private final Explainer explainer;

  UserRequests(String consumer, CommandQueue commands, EngineClock clock, Explainer explainer) {
    this.consumer = consumer;
    this.commands = commands;
    this.clock = clock;
    this.explainer = explainer;
  }

  CompletableFuture<@Nullable Void> ask(String what, Runnable work) {
    return this.<@Nullable Void>ask(
        what,
        () -> {
          work.run();
          LOG.info("Consumer '{}' was told to {}.", consumer, what);
          return null;
        });
  }

  /**
   * Has it done.
   *
   * @param work logs by itself what came of it
   */
  <R extends @Nullable Object> CompletableFuture<R> ask(String what, Supplier<R> work) {
    return commands.ask(what, work).whenCompleteAsync((done, failure) -> {});
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
        // Whoever asks is in trouble already: what is known from outside is better than nothing.
        LOG.warn("Consumer '{}' could not explain itself.", consumer, e.getCause());
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
}
