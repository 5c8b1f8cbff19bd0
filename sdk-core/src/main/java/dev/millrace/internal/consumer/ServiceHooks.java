package dev.millrace.internal.consumer;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.config.DeliverySemantics;
import dev.millrace.config.Ordering;
import dev.millrace.consumer.ConsumerListener;
import dev.millrace.consumer.FailureClassifier;
import dev.millrace.consumer.IdempotencyKey;
import dev.millrace.consumer.OrderingKey;
import dev.millrace.errors.InvalidDefinitionException;
import dev.millrace.idempotency.IdempotencyStore;
import dev.millrace.internal.idempotency.Idempotency;
import dev.millrace.internal.listener.SharedListener;
import java.util.Locale;
import java.util.Objects;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/**
 * What a service may hand in besides its handler.
 *
 * @param listener null when there is none
 * @param orderingKey the record's key, unless the service has another
 * @param idempotencyKey null when the definition says what a record's message id is
 * @param idempotency null when messages are handled each time they come
 * @param failureClassifier null when classes alone say which failures are worth another attempt
 */
public record ServiceHooks(
    @Nullable ConsumerListener listener,
    OrderingKey orderingKey,
    @Nullable IdempotencyKey idempotencyKey,
    @Nullable Idempotency idempotency,
    @Nullable FailureClassifier failureClassifier) {

  /** The hooks of a service that has handed in none. */
  public static final ServiceHooks NONE =
      new ServiceHooks(null, ConsumerRecord::key, null, null, null);

  /** Returns them for instances that share them. */
  ServiceHooks sharedBy(int instances) {
    return listener == null || instances == 1
        ? this
        : new ServiceHooks(
            new SharedListener(listener, instances),
            orderingKey,
            idempotencyKey,
            idempotency,
            failureClassifier);
  }

  ServiceHooks listener(ConsumerListener told) {
    return new ServiceHooks(
        Objects.requireNonNull(told, "listener"),
        orderingKey,
        idempotencyKey,
        idempotency,
        failureClassifier);
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
    return new ServiceHooks(listener, other, idempotencyKey, idempotency, failureClassifier);
  }

  /**
   * Returns them with another message id.
   *
   * @throws InvalidDefinitionException when the consumer has no use for one
   */
  ServiceHooks idempotencyKey(IdempotencyKey other, ConsumerDefinition consumer) {
    Objects.requireNonNull(other, "idempotencyKey");
    if (consumer.idempotency() == null) {
      throw new InvalidDefinitionException(
          "Consumer '%s': an IdempotencyKey is of no use without 'idempotency'; write 'idempotency: {}', or do without."
              .formatted(consumer.name()),
          null);
    }
    return new ServiceHooks(listener, orderingKey, other, idempotency, failureClassifier);
  }

  public ServiceHooks failureClassifier(FailureClassifier classifier) {
    return new ServiceHooks(
        listener,
        orderingKey,
        idempotencyKey,
        idempotency,
        Objects.requireNonNull(classifier, "classifier"));
  }

  /**
   * Returns them with the consumer's idempotency, if it has any.
   *
   * @param group within which an id is one message's
   * @throws InvalidDefinitionException when it has, and there is no store, or its promise is not
   *     at-least-once; the loader tells the latter of a file, with the line
   */
  public ServiceHooks idempotency(
      ConsumerDefinition consumer, String group, @Nullable IdempotencyStore store) {
    if (consumer.idempotency() == null) {
      return this;
    }
    if (consumer.deliverySemantics() != DeliverySemantics.AT_LEAST_ONCE) {
      throw new InvalidDefinitionException(
          "Consumer '%s' has 'idempotency' and 'delivery-semantics: %s', whose end of a record is not the store's; do without one of them."
              .formatted(
                  consumer.name(),
                  consumer.deliverySemantics().name().toLowerCase(Locale.ROOT).replace('_', '-')),
          null);
    }
    if (store == null) {
      throw new InvalidDefinitionException(
          "Consumer '%s': 'idempotency' needs a store; give the factory one, by KafkaFactory.builder().idempotencyStore(…)."
              .formatted(consumer.name()),
          null);
    }
    return new ServiceHooks(
        listener,
        orderingKey,
        idempotencyKey,
        new Idempotency(store, consumer.idempotency(), group, idempotencyKey),
        failureClassifier);
  }
}
