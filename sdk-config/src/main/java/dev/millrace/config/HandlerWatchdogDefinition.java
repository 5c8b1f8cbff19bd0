package dev.millrace.config;

import java.time.Duration;

/**
 * When a record stays in its handler for too long, and what is done about it.
 *
 * @param after how long one attempt may take, looked at once a second; 1 s to 24 h
 * @param policy what is done besides the warning
 */
public record HandlerWatchdogDefinition(Duration after, WatchdogPolicy policy) {}
