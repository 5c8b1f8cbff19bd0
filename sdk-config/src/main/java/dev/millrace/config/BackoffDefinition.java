package dev.millrace.config;

import java.time.Duration;

/**
 * The waiting time between two attempts: {@code initial × multiplier^(n-1)}, at most {@code max},
 * spread by {@code jitter}.
 *
 * @param initial before the second attempt; 1 ms to 24 h
 * @param multiplier growth per attempt; 1 to 100
 * @param max the longest wait; at least {@code initial}, at most 24 h
 * @param jitter share of the wait that is random, 0 (none) to below 1
 */
public record BackoffDefinition(Duration initial, double multiplier, Duration max, double jitter) {}
