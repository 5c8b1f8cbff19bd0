package dev.millrace.internal.delivery;

import dev.millrace.config.BackoffDefinition;
import dev.millrace.config.DeadLetterDefinition;
import dev.millrace.config.FailurePolicy;
import dev.millrace.config.RetryDefinition;
import dev.millrace.internal.time.EngineClock;
import io.github.resilience4j.core.IntervalFunction;
import io.github.resilience4j.core.functions.Either;
import io.github.resilience4j.retry.RetryConfig;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Decides what follows a failed attempt; has no effect. Any thread. */
final class Recovery {
  private final RetryConfig retry;
  private final long maxNanos;
  private final Classification classification;
  private final int levels;
  private final boolean hasDeadLetter;
  private final FailurePolicy onFailure;
  private final EngineClock clock;

  Recovery(
      RetryDefinition retry,
      Classification classification,
      @Nullable DeadLetterDefinition deadLetter,
      FailurePolicy onFailure,
      EngineClock clock) {
    this.retry = retryConfig(retry);
    this.maxNanos = retry.maxDuration().isZero() ? Long.MAX_VALUE : retry.maxDuration().toNanos();
    this.classification = classification;
    this.levels = retry.topics().levels();
    this.hasDeadLetter = deadLetter != null;
    this.onFailure = onFailure;
    this.clock = clock;
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

  /** Decides after a handler has thrown. */
  Outcome after(Attempt attempt, Throwable cause) {
    String refusal = classification.refusal(cause);
    return refusal == null ? tryAgain(attempt, cause) : giveUp(cause, refusal);
  }

  /** Decides after a value could not be decoded; the same bytes will hardly decode better again. */
  Outcome afterUndecodable(Attempt attempt, Throwable cause) {
    return classification.allowsUndecodable(cause)
        ? tryAgain(attempt, cause)
        : giveUp(cause, GaveUp.UNDECODABLE);
  }

  /** Decides where nothing follows from the failure itself. */
  Outcome tryAgain(Attempt attempt, Throwable cause) {
    boolean usedUp = attempt.number() >= retry.getMaxAttempts();
    if (!usedUp) {
      long millis = retry.getIntervalBiFunction().apply(attempt.number(), Either.left(cause));
      long delay = TimeUnit.MILLISECONDS.toNanos(millis);
      if (clock.nanos() - attempt.sinceNanos() <= maxNanos - delay) {
        return new Outcome.RetryLater(delay, attempt.sinceNanos(), cause);
      }
    }
    return attempt.level() < levels
        ? new Outcome.RetryTopic(attempt.level() + 1, cause)
        : giveUp(cause, usedUp ? GaveUp.ATTEMPTS_USED_UP : GaveUp.MAX_DURATION);
  }

  /**
   * Decides when no attempt can help any more.
   *
   * @param why one of {@link GaveUp}
   */
  Outcome giveUp(Throwable cause, String why) {
    if (hasDeadLetter) {
      return new Outcome.DeadLetter(cause, why);
    }
    return onFailure == FailurePolicy.SKIP
        ? new Outcome.Skip(cause, why)
        : new Outcome.Stop(cause, why);
  }
}
