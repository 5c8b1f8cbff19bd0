package dev.millrace.config;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What all producers and consumers of a file share.
 *
 * @param bootstrapServers {@code host:port} of some brokers; the client finds the others
 * @param serviceName the service's name, part of every client id; null when not given
 * @param instanceId the name of this process among those of the service, the same after a restart,
 *     part of every transactional id: 1 to 249 of {@code a-z A-Z 0-9 . _ -}; null for a random one
 * @param connectTimeout how long the first contact with the brokers may take before a typed error;
 *     1 ms to 24 h
 * @param properties raw settings for every client, by Kafka's own names; the text of this record
 *     shows the names only
 */
public record CommonDefinition(
    List<String> bootstrapServers,
    @Nullable String serviceName,
    @Nullable String instanceId,
    Duration connectTimeout,
    Map<String, String> properties) {

  public CommonDefinition {
    bootstrapServers = List.copyOf(bootstrapServers);
    properties = NamesOnlyMap.copyOf(properties);
  }
}
