package dev.millrace.config;

import java.time.Duration;

/**
 * How a consumer knows a message that comes more than once, and handles it once.
 *
 * @param key what of a record is its message's id
 * @param header the header that holds it, under {@link MessageIdKey#HEADER}
 * @param missingId what becomes of a record without one
 * @param lease how long others leave a message to who has begun to handle it, in which a handler
 *     must end; after a crash it is as long until it is handled again; 1 s to 24 h
 * @param retention how long it is known that a message has been handled; 1 min to 87,600 h
 */
public record IdempotencyDefinition(
    MessageIdKey key, String header, MissingId missingId, Duration lease, Duration retention) {}
