package dev.millrace.config;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One named producer, with the common settings and the defaults merged in.
 *
 * @param name the name given to {@code createProducer}
 * @param bootstrapServers {@code host:port} of some brokers
 * @param topics the topics it writes to; a send without a topic needs exactly one
 * @param deliverySemantics the promise
 * @param enableIdempotence overrides the promise's idempotence; null leaves it to the promise
 * @param format how a value becomes bytes
 * @param profile the tuning profile
 * @param transaction how its transactions run; looked at under {@code exactly-once} only
 * @param pool how its handles share its Kafka clients
 * @param properties raw client settings by Kafka's own names; they win over promise and profile;
 *     the text of this record shows the names only
 */
public record ProducerDefinition(
    String name,
    List<String> bootstrapServers,
    List<String> topics,
    DeliverySemantics deliverySemantics,
    @Nullable Boolean enableIdempotence,
    Format format,
    TuningProfile profile,
    TransactionDefinition transaction,
    PoolDefinition pool,
    Map<String, String> properties) {

  public ProducerDefinition {
    bootstrapServers = List.copyOf(bootstrapServers);
    topics = List.copyOf(topics);
    properties = NamesOnlyMap.copyOf(properties);
  }
}
