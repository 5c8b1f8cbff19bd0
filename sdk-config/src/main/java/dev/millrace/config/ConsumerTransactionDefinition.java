package dev.millrace.config;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How a consumer of {@code delivery-semantics: exactly-once} runs its transactions.
 *
 * @param idPrefix what its transactional ids begin with: 1 to 249 of {@code a-z A-Z 0-9 . _ -};
 *     null for the group's and the consumer's name
 * @param slices in how many parts each instance's partitions are, each with a transaction of its
 *     own, a Kafka client and a transactional id; 1 to 16
 * @param timeout after which the brokers abort a transaction that has not ended ({@code
 *     transaction.timeout.ms}), such as that of a process that was killed; until then nobody goes
 *     on where it was; 1 s to 15 min, at least twice the commit interval
 */
public record ConsumerTransactionDefinition(
    @Nullable String idPrefix, int slices, Duration timeout) {}
