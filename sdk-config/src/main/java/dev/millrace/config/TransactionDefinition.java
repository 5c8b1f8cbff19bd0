package dev.millrace.config;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How a producer of {@code delivery-semantics: exactly-once} runs its transactions.
 *
 * @param idPrefix what its transactional ids begin with: 1 to 249 of {@code a-z A-Z 0-9 . _ -};
 *     null for the service's and the producer's name
 * @param slots the most transactions open at the same time, each with a Kafka client and a
 *     transactional id of its own; 1 to 64
 * @param timeout from its begin to its end, after which a transaction is aborted, by this side or
 *     by the brokers ({@code transaction.timeout.ms}); 1 s to 24 h, and no more than the brokers'
 *     {@code transaction.max.timeout.ms}
 * @param acquireTimeout how long a new transaction waits while all slots are in use; 0 (not at all)
 *     to 1 h
 */
public record TransactionDefinition(
    @Nullable String idPrefix, int slots, Duration timeout, Duration acquireTimeout) {}
