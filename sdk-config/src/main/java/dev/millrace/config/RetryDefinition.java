package dev.millrace.config;

/**
 * How often a failing record is tried, and how long it rests in between.
 *
 * @param maxAttempts all attempts together, the first one included; 1 (no retry) to 1,000,000
 * @param backoff the waiting time between attempts
 */
public record RetryDefinition(int maxAttempts, BackoffDefinition backoff) {}
