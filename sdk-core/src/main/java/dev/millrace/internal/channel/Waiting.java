package dev.millrace.internal.channel;

/**
 * What a record waits for outside of its handler.
 *
 * @param forRetry for its next attempt, or else for its dead letter's acknowledgement
 * @param nanos when the attempt is due, or since when the dead letter is on its way
 * @param failure the class of the last failure
 */
public record Waiting(boolean forRetry, long nanos, String failure) {}
