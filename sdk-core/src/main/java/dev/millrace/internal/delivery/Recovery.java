package dev.millrace.internal.delivery;

import dev.millrace.config.BackoffDefinition;
import dev.millrace.config.DeadLetterDefinition;
import dev.millrace.config.FailurePolicy;
import dev.millrace.config.RetryDefinition;
import io.github.resilience4j.core.IntervalFunction;
import io.github.resilience4j.core.functions.Either;
import io.github.resilience4j.retry.RetryConfig;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Decides what follows a failed attempt: numbers in, an outcome out, no effect. Any thread. */
final class Recovery {
  private final RetryConfig retry;
  private final int levels;
  private final boolean hasDeadLetter;
  private final FailurePolicy onFailure;

  Recovery(
      RetryDefinition retry, @Nullable DeadLetterDefinition deadLetter, FailurePolicy onFailure) {
    this.retry = retryConfig(retry);
    this.levels = retry.topics().levels();
    this.hasDeadLetter = deadLetter != null;
    this.onFailure = onFailure;
  }

  private static RetryConfig retryConfig(RetryDefinition definition) {
    BackoffDefinition backoff = definition.backoff();
    return RetryConfig.custom()
        .maxAttempts(definition.maxAttempts())
        .intervalFunction(
            IntervalFunction.ofExponentialRandomBackoff(
                backoff.initial().toMillis(),
                backoff.multiplier(),
                backoff.jitter(),
                backoff.max().toMillis()))
        .build();
  }

  /**
   * Decides after a handler has thrown.
   *
   * @param attempt which attempt has failed, of those in place, from 1
   * @param level the retry topic that the record was read from; 0 for its own topic
   */
  Outcome after(int attempt, int level, Throwable cause) {
    if (!retry.getExceptionPredicate().test(cause)) {
      return giveUp(cause);
    }
    if (attempt < retry.getMaxAttempts()) {
      long millis = retry.getIntervalBiFunction().apply(attempt, Either.left(cause));
      return new Outcome.RetryLater(TimeUnit.MILLISECONDS.toNanos(millis), cause);
    }
    return level < levels ? new Outcome.RetryTopic(level + 1, cause) : giveUp(cause);
  }

  /** Decides when no attempt can help any more; the same bytes will not decode better again. */
  Outcome giveUp(Throwable cause) {
    if (hasDeadLetter) {
      return new Outcome.DeadLetter(cause);
    }
    return onFailure == FailurePolicy.SKIP ? new Outcome.Skip(cause) : new Outcome.Stop(cause);
  }
}
