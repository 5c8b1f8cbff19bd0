package dev.millrace.internal.client;

import dev.millrace.config.CommonDefinition;
import dev.millrace.config.ConsumerDefinition;
import dev.millrace.config.ConsumerTransactionDefinition;
import dev.millrace.config.DeliverySemantics;
import dev.millrace.config.ProducerDefinition;
import dev.millrace.errors.InvalidDefinitionException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.jspecify.annotations.Nullable;

/**
 * From a definition to the settings of its transactional clients, one for each slot or slice. Their
 * ids are {@code prefix-instance-slot}; without an {@code instance-id}, each factory is an instance
 * of its own.
 */
public final class TransactionalSettings {
  private final ClientProperties clientProperties;
  private final @Nullable String serviceName;
  private final String instance;

  public TransactionalSettings(ClientProperties clientProperties, CommonDefinition common) {
    this.clientProperties = clientProperties;
    this.serviceName = common.serviceName();
    this.instance =
        common.instanceId() == null ? UUID.randomUUID().toString() : common.instanceId();
  }

  /**
   * Returns the settings of each slot's client, by transactional id and in order.
   *
   * @throws InvalidDefinitionException when the producer promises something else than exactly-once,
   *     or Kafka refuses a setting
   */
  public Map<String, Map<String, Object>> of(ProducerDefinition definition) {
    if (definition.deliverySemantics() != DeliverySemantics.EXACTLY_ONCE) {
      throw new InvalidDefinitionException(
          "Producer '%s' has 'delivery-semantics: %s'; a transactional producer needs exactly-once."
              .formatted(
                  definition.name(),
                  definition.deliverySemantics().name().toLowerCase(Locale.ROOT).replace('_', '-')),
          null);
    }
    return slots(
        prefix(definition),
        definition.transaction().slots(),
        definition.transaction().timeout(),
        clientProperties.producerSettings(definition));
  }

  /**
   * Returns the settings of the client of each slice of one instance of a consumer, by
   * transactional id and in order.
   *
   * @param definition of the instance, whose name no other one has
   * @throws InvalidDefinitionException when Kafka refuses a setting
   */
  public Map<String, Map<String, Object>> of(ConsumerDefinition definition) {
    ConsumerTransactionDefinition transaction = definition.transaction();
    String prefix =
        (transaction.idPrefix() == null ? definition.groupId() : transaction.idPrefix())
            + "-"
            + definition.name();
    return slots(
        prefix,
        transaction.slices(),
        transaction.timeout(),
        clientProperties.outputProducer(definition));
  }

  private Map<String, Map<String, Object>> slots(
      String prefix, int count, Duration timeout, Map<String, Object> shared) {
    Map<String, Map<String, Object>> slots = new LinkedHashMap<>();
    for (int slot = 0; slot < count; slot++) {
      Map<String, Object> settings = new LinkedHashMap<>(shared);
      String id = prefix + "-" + instance + "-" + slot;
      settings.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, id);
      settings.put(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG, Long.toString(timeout.toMillis()));
      settings.put(
          ProducerConfig.CLIENT_ID_CONFIG,
          shared.get(ProducerConfig.CLIENT_ID_CONFIG) + "-" + slot);
      slots.put(id, settings);
    }
    return slots;
  }

  private String prefix(ProducerDefinition definition) {
    String prefix = definition.transaction().idPrefix();
    if (prefix != null) {
      return prefix;
    }
    return serviceName == null ? definition.name() : serviceName + "-" + definition.name();
  }
}
