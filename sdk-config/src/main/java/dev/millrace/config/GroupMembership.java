package dev.millrace.config;

import org.jspecify.annotations.Nullable;

/**
 * How a consumer is a member of its group.
 *
 * @param protocol by which protocol partitions are shared ({@code group.protocol})
 * @param instanceId the name under which this process, after a restart, is the same member again
 *     ({@code group.instance.id}, KIP-345): 1 to 249 of {@code a-z A-Z 0-9 . _ -}, in its group
 *     used by one process only; null for a member that leaves when it closes
 */
public record GroupMembership(GroupProtocol protocol, @Nullable String instanceId) {}
