package dev.millrace.config;

import java.time.Duration;

/**
 * How many records a consumer hands to its handler within a time, in one process.
 *
 * @param records so many, each attempt counted; 1 to 10,000,000, at least one for each instance
 * @param per within this time; 100 ms to 24 h
 */
public record RateLimitDefinition(int records, Duration per) {}
