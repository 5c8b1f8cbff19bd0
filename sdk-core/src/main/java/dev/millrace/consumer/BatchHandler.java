package dev.millrace.consumer;

import java.util.List;

/**
 * A service's own work for several records at once, with an outcome for each.
 *
 * <p>A batch holds consecutive records that share an order (see {@link
 * dev.millrace.config.Ordering}): of one key under {@code key}, of one partition under {@code
 * partition}. Under {@code unordered}, and for records without a key under {@code key}, it holds
 * records of any partition, as they were polled. It is handed over when {@code batch.max-records}
 * are there, {@code batch.max-wait} after its first record was polled, or when the channel is full.
 *
 * <p>Called by worker threads, by up to {@code concurrency} of them at the same time: a batch is
 * one of them. No later record that shares the order is handed over before each record of the batch
 * is done or its dead letter acknowledged; until then, those to be tried again come again, as a
 * batch of their own. Those that are done never do. Inside a batch the order is the handler's: it
 * has all records at once, so a later one may be done before an earlier one that is tried again. A
 * handler to which that matters says {@link BatchRecord#done()} record by record and throws at the
 * first that fails: that one and all behind it come again.
 *
 * <p>A record whose value can't be decoded is not in the batch; it goes to the dead-letter topic or
 * stops the consumer, and the rest is handled.
 *
 * @param <V> the value's type
 */
@FunctionalInterface
public interface BatchHandler<V> {

  /**
   * Handles the records. Returning means that each record without an outcome is done; throwing
   * anything means that each record without an outcome has failed, as one of a {@link
   * RecordHandler} has. An outcome that was given stands.
   *
   * @param records in offset order for those that share an order; at least one, at most {@code
   *     batch.max-records}; not to be changed
   * @throws Exception when the records without an outcome could not be handled
   */
  void handle(List<BatchRecord<V>> records) throws Exception;
}
