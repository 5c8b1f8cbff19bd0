package dev.millrace.config;

import java.time.Duration;

/**
 * How often a failing record is tried, and how long it rests in between.
 *
 * @param maxAttempts attempts in place, the first one included; 1 (no retry) to 1,000,000. With
 *     retry topics it has as many in each of them
 * @param maxDuration no attempt in place is due later than this after the first one began; zero for
 *     no such limit, at most 168 h. With retry topics it begins anew in each of them
 * @param backoff the waiting time between attempts in place
 * @param classes which failures are worth another attempt
 * @param topics where a record waits whose attempts in place are used up, before it has more
 */
public record RetryDefinition(
    int maxAttempts,
    Duration maxDuration,
    BackoffDefinition backoff,
    FailureClasses classes,
    RetryTopicsDefinition topics) {

  /** Without a limit in time, for whatever failure, without retry topics. */
  public RetryDefinition(int maxAttempts, BackoffDefinition backoff) {
    this(maxAttempts, backoff, RetryTopicsDefinition.NONE);
  }

  /** Without a limit in time, for whatever failure. */
  public RetryDefinition(int maxAttempts, BackoffDefinition backoff, RetryTopicsDefinition topics) {
    this(maxAttempts, Duration.ZERO, backoff, FailureClasses.NONE, topics);
  }

  /** Returns the same with another back-off. */
  public RetryDefinition withBackoff(BackoffDefinition other) {
    return new RetryDefinition(maxAttempts, maxDuration, other, classes, topics);
  }

  /** Returns the same without retry topics, but with the names that there would be. */
  public RetryDefinition inPlace() {
    return new RetryDefinition(maxAttempts, maxDuration, backoff, classes, topics.unused());
  }
}
