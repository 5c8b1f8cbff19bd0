package dev.millrace.testing;

import dev.millrace.config.BackoffDefinition;
import dev.millrace.config.ConsumerDefinition;
import dev.millrace.config.ConsumerMode;
import dev.millrace.config.DeliverySemantics;
import dev.millrace.config.KafkaConfig;
import dev.millrace.config.RetryDefinition;
import dev.millrace.config.Subscription;
import dev.millrace.errors.InvalidDefinitionException;
import dev.millrace.errors.UnknownNameException;
import dev.millrace.internal.client.NamedDefinitions;
import java.util.List;

/** Makes of a consumer's definition the one that a driver runs. */
final class DriverDefinition {

  private DriverDefinition() {}

  /**
   * Returns the definition as it is configured.
   *
   * @throws UnknownNameException when the configuration has no such consumer
   * @throws InvalidDefinitionException when it asks for what only brokers have
   */
  static ConsumerDefinition of(KafkaConfig config, String consumer) {
    ConsumerDefinition definition = NamedDefinitions.consumer(config, consumer);
    if (definition.mode() == ConsumerMode.QUEUE) {
      throw new InvalidDefinitionException(
          "Consumer '%s' has 'mode: queue', which a ConsumerDriver can't run: it has the partitions, offsets and commits of a group; test it with a broker."
              .formatted(consumer),
          null);
    }
    if (definition.deliverySemantics() == DeliverySemantics.EXACTLY_ONCE) {
      throw new InvalidDefinitionException(
          "Consumer '%s' has 'delivery-semantics: exactly-once', which a ConsumerDriver can't run: it has no transactions; test it with a broker."
              .formatted(consumer),
          null);
    }
    return definition;
  }

  /** Returns the definition with nothing left in it that differs from run to run. */
  static ConsumerDefinition reproducible(ConsumerDefinition definition, List<String> topics) {
    return withoutJitter(withNamedTopics(definition, topics));
  }

  /** There is one member only, which has all partitions in whichever way the consumer has them. */
  private static ConsumerDefinition withNamedTopics(
      ConsumerDefinition definition, List<String> topics) {
    if (topics.isEmpty()) {
      throw new IllegalStateException(
          "Consumer '%s' finds its topics by a pattern; name some that there are, by topics(...)."
              .formatted(definition.name()));
    }
    return definition.withSubscription(new Subscription.Topics(topics));
  }

  /** A back-off that is random would make a test that steps the time fail now and then. */
  private static ConsumerDefinition withoutJitter(ConsumerDefinition definition) {
    RetryDefinition retry = definition.retry();
    BackoffDefinition backoff = retry.backoff();
    return definition.withRetry(
        retry.withBackoff(
            new BackoffDefinition(backoff.initial(), backoff.multiplier(), backoff.max(), 0)));
  }
}
