package dev.millrace.config;

import java.time.Duration;

/**
 * When so many of its handler's calls fail that a consumer stops calling it for a time.
 *
 * @param failureRate the circuit opens when at least so many percent of the calls in the window
 *     have failed; 1 to 100
 * @param window how many of the last calls are looked at; 1 to 10,000
 * @param minimumCalls it does not open before so many calls are in the window; 1 to {@code window}
 * @param openFor for how long no handler starts; 1 s to 24 h
 * @param probes how many calls are let through after that: when all of them have succeeded the
 *     circuit closes, and with the first that fails it opens again; 1 to 1,000
 */
public record CircuitBreakerDefinition(
    int failureRate, int window, int minimumCalls, Duration openFor, int probes) {}
