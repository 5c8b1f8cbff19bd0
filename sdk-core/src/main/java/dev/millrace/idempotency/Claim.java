package dev.millrace.idempotency;

import java.time.Duration;

/**
 * That one delivery of a message is to handle it, and no other meanwhile.
 *
 * @param scope within which the id is one message's own: the consumer's group; 1 to 255 characters
 * @param id the message; 1 to 255 characters
 * @param holder who claims it: a text of its own for each delivery, the same in all attempts at it;
 *     1 to 64 characters
 * @param lease how long others leave the message to the holder, counted from {@link
 *     IdempotencyStore#begin}; 1 s to 24 h as configured
 * @param retention how long it is known that the message is done, counted from {@link
 *     IdempotencyStore#done}; 1 min to 87,600 h as configured
 */
public record Claim(String scope, String id, String holder, Duration lease, Duration retention) {}
