package dev.millrace.config;

import java.time.Duration;

/**
 * The waiting time between two attempts: {@code initial × multiplier^(n-1)}, at most {@code max},
 * spread by {@code jitter}.
 *
 * @param initial before the second attempt; more than zero
 * @param multiplier growth per attempt; at least 1
 * @param max the longest wait; at least {@code initial}
 * @param jitter share of the wait that is random, 0 (none) to below 1
 */
public record BackoffDefinition(Duration initial, double multiplier, Duration max, double jitter) {}
