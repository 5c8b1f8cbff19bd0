package dev.millrace.consumer;

/**
 * A consumer that is defined and waits for its handler.
 *
 * @param <V> the value's type
 */
public interface PreparedConsumer<V> {

  /**
   * Joins the group and starts to handle records. Returns when the brokers have answered; the first
   * assignment follows on the consumer's own thread.
   *
   * @param handler the service's work for a record
   * @return the running consumer, to be closed by the caller or with the factory
   * @throws dev.millrace.errors.BrokerUnavailableException when no broker answers within {@code
   *     connect-timeout}
   * @throws dev.millrace.errors.InvalidDefinitionException when the Kafka client refuses the
   *     settings
   * @throws IllegalStateException when the factory is closed, or when a consumer of this name is
   *     already running in it
   */
  MessageConsumer subscribe(RecordHandler<? super V> handler);
}
