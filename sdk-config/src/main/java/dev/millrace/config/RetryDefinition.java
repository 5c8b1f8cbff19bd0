package dev.millrace.config;

/**
 * How often a failing record is tried, and how long it rests in between.
 *
 * @param maxAttempts attempts in place, the first one included; 1 (no retry) to 1,000,000. With
 *     retry topics it has as many in each of them
 * @param backoff the waiting time between attempts in place
 * @param topics where a record waits whose attempts in place are used up, before it has more
 */
public record RetryDefinition(
    int maxAttempts, BackoffDefinition backoff, RetryTopicsDefinition topics) {

  /** Without retry topics. */
  public RetryDefinition(int maxAttempts, BackoffDefinition backoff) {
    this(maxAttempts, backoff, RetryTopicsDefinition.NONE);
  }
}
