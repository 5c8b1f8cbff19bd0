package dev.millrace.internal.deadletter;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.deadletter.DeadLetters;
import dev.millrace.internal.client.Brokers;
import dev.millrace.internal.client.ClientProperties;
import dev.millrace.internal.client.RedriveSettings;
import dev.millrace.internal.metrics.ClientMeters;
import dev.millrace.internal.producer.ProducerPool;
import java.time.Duration;

/** Hands out the dead letters of a factory's consumers, and ends their redrives. Any thread. */
public final class DeadLetterService {
  private final ClientProperties properties;
  private final Brokers brokers;
  private final ProducerPool deadLetterProducers;
  private final ClientMeters meters;
  private final RunningRedrives running = new RunningRedrives();

  /** Joins the parts. */
  public DeadLetterService(
      ClientProperties properties,
      Brokers brokers,
      ProducerPool deadLetterProducers,
      ClientMeters meters) {
    this.properties = properties;
    this.brokers = brokers;
    this.deadLetterProducers = deadLetterProducers;
    this.meters = meters;
  }

  /**
   * Returns the dead letters of a consumer; opens nothing.
   *
   * @throws dev.millrace.errors.InvalidDefinitionException when it has none, or the Kafka client
   *     refuses its settings
   */
  public DeadLetters of(ConsumerDefinition definition) {
    return new DeadLetterDesk(
        Scope.of(definition),
        RedriveSettings.of(properties, definition),
        brokers,
        () ->
            deadLetterProducers.slot(
                definition.name(), () -> properties.deadLetterProducer(definition)),
        meters,
        running);
  }

  /** Ends all redrives after their present transaction, and waits for that within the bound. */
  public void close(Duration bound) {
    running.close(bound);
  }
}
