package dev.millrace.internal.consumer;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.config.Ordering;
import dev.millrace.consumer.ConsumerListener;
import dev.millrace.consumer.OrderingKey;
import dev.millrace.errors.InvalidDefinitionException;
import java.util.Locale;
import java.util.Objects;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/**
 * What a service may hand in besides its handler.
 *
 * @param listener null when there is none
 * @param orderingKey the record's key, unless the service has another
 */
public record ServiceHooks(@Nullable ConsumerListener listener, OrderingKey orderingKey) {

  /** The hooks of a service that has handed in none. */
  public static final ServiceHooks NONE = new ServiceHooks(null, ConsumerRecord::key);

  /** Returns them for instances that share them. */
  ServiceHooks sharedBy(int instances) {
    return listener == null || instances == 1
        ? this
        : new ServiceHooks(new SharedListener(listener, instances), orderingKey);
  }

  ServiceHooks listener(ConsumerListener told) {
    return new ServiceHooks(Objects.requireNonNull(told, "listener"), orderingKey);
  }

  /**
   * Returns them with another ordering key.
   *
   * @throws InvalidDefinitionException when the consumer does not keep the order of keys
   */
  public ServiceHooks orderBy(OrderingKey other, ConsumerDefinition consumer) {
    Objects.requireNonNull(other, "orderingKey");
    if (consumer.ordering() != Ordering.KEY) {
      throw new InvalidDefinitionException(
          "Consumer '%s': an OrderingKey is of no use under 'ordering: %s'; write 'ordering: key', or do without."
              .formatted(consumer.name(), consumer.ordering().name().toLowerCase(Locale.ROOT)),
          null);
    }
    return new ServiceHooks(listener, other);
  }
}
