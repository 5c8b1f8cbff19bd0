package dev.millrace.consumer;

import java.util.concurrent.Executor;

/**
 * A consumer that is defined and waits for its handler.
 *
 * @param <V> the value's type
 */
public interface PreparedConsumer<V> {

  /**
   * Has a listener told of what happens to the consumer.
   *
   * @param listener replaces one that was given before
   * @return a prepared consumer with the listener; this one is left as it is
   * @throws UnsupportedOperationException in {@code mode: queue}, whose partitions are nobody's own
   */
  PreparedConsumer<V> listener(ConsumerListener listener);

  /**
   * Has records kept in order by something else than their key.
   *
   * @param orderingKey replaces one that was given before
   * @return a prepared consumer with the ordering key; this one is left as it is
   * @throws dev.millrace.errors.InvalidDefinitionException when the definition's {@code ordering}
   *     is another one than {@code key}
   */
  PreparedConsumer<V> orderBy(OrderingKey orderingKey);

  /**
   * Has messages known by something else than a header or their key.
   *
   * @param idempotencyKey replaces one that was given before, and the definition's {@code
   *     idempotency.key}
   * @return a prepared consumer with the key; this one is left as it is
   * @throws dev.millrace.errors.InvalidDefinitionException when the definition has no {@code
   *     idempotency}
   */
  PreparedConsumer<V> idempotencyKey(IdempotencyKey idempotencyKey);

  /**
   * Has failures judged by more than their class: whether another attempt may follow.
   *
   * @param classifier replaces one that was given before
   * @return a prepared consumer with the classifier; this one is left as it is
   */
  PreparedConsumer<V> failureClassifier(FailureClassifier classifier);

  /**
   * Joins the group and starts to handle records. Returns when the brokers have answered; the first
   * assignment follows on the consumer's own thread.
   *
   * @param handler the service's work for a record
   * @return the running consumer, to be closed by the caller or with the factory
   * @throws dev.millrace.errors.BrokerUnavailableException when no broker answers within {@code
   *     connect-timeout}
   * @throws dev.millrace.errors.InvalidDefinitionException when the Kafka client refuses the
   *     settings, or the definition has {@code idempotency} and the factory no store
   * @throws IllegalStateException when the factory is closed, or when a consumer of this name is
   *     already running in it
   */
  MessageConsumer subscribe(RecordHandler<? super V> handler);

  /**
   * As {@link #subscribe(RecordHandler)}, but the handler runs in the caller's executor, for as
   * many records at a time as the definition's {@code concurrency}. The executor is not closed with
   * the consumer. A thread of it may be interrupted, by the watchdog or at the end of a close, but
   * only while a handler of this consumer runs there. A task that the executor has not begun when
   * its partition leaves, or when the consumer closes, does nothing when it is run.
   *
   * @param handler the service's work for a record
   * @param executor takes {@code concurrency} tasks at a time; one that it rejects counts as a
   *     failed attempt at its record
   * @return the running consumer, to be closed by the caller or with the factory
   * @throws dev.millrace.errors.BrokerUnavailableException as above
   * @throws dev.millrace.errors.InvalidDefinitionException as above
   * @throws IllegalStateException as above
   */
  MessageConsumer subscribe(RecordHandler<? super V> handler, Executor executor);

  /**
   * As {@link #subscribe(RecordHandler)}, for a handler that needs no thread until its work is
   * done. Up to {@code concurrency} records are at work at a time, which may be many thousands.
   *
   * @param handler starts the service's work for a record
   * @return the running consumer, to be closed by the caller or with the factory
   * @throws dev.millrace.errors.BrokerUnavailableException as above
   * @throws dev.millrace.errors.InvalidDefinitionException as above
   * @throws IllegalStateException as above
   */
  MessageConsumer subscribeAsync(AsyncRecordHandler<? super V> handler);

  /**
   * As {@link #subscribe(RecordHandler)}, for a handler that takes several records at once, as the
   * definition's {@code batch} says. Up to {@code concurrency} batches are at work at a time.
   *
   * @param handler the service's work for a batch, with an outcome for each record
   * @return the running consumer, to be closed by the caller or with the factory
   * @throws dev.millrace.errors.BrokerUnavailableException as above
   * @throws dev.millrace.errors.InvalidDefinitionException as above
   * @throws IllegalStateException as above
   */
  MessageConsumer subscribeBatch(BatchHandler<? super V> handler);

  /**
   * Handles a range of the consumer's topics once, outside its group: no membership, no commits,
   * nothing known of what the group has done; the consumer itself may be running meanwhile. Order,
   * concurrency, attempts and flow are as the definition says. A record whose attempts are used up
   * goes to the definition's dead-letter topic; without one it ends the replay as failed, unless
   * {@code on-failure} has it skipped. Where the range ends is found out before this returns; later
   * records are not read. A listener is not told of it. There is no replay with an executor, with
   * an asynchronous handler or with one of batches.
   *
   * @param range what to read
   * @param handler the service's work for a record, in the replay's own workers
   * @return the replay under way, which ends by itself; the factory's close ends it too
   * @throws dev.millrace.errors.BrokerUnavailableException as above
   * @throws dev.millrace.errors.InvalidDefinitionException as above
   * @throws dev.millrace.errors.MillraceException when the brokers do not tell the range's offsets
   *     within some seconds
   * @throws IllegalArgumentException when the range has partitions that the consumer does not read
   * @throws IllegalStateException when the factory is closed, or when a replay of this consumer is
   *     already running in it
   */
  Replay replay(ReplayRange range, RecordHandler<? super V> handler);
}
