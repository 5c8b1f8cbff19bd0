package dev.millrace.consumer;

import java.util.concurrent.CompletionStage;

/**
 * A service's own work for one record that goes on without a thread, such as a call by a
 * non-blocking client.
 *
 * <p>Called by a few worker threads, one for each processor at most, so it should start its work
 * and return; a call that blocks keeps other records waiting. Until the stage completes, the record
 * holds one of the consumer's {@code concurrency} permits, records that share an order with it wait
 * (see {@link dev.millrace.config.Ordering}), and its offset is not committed. A stage that never
 * completes holds them for ever; {@link MessageConsumer#explain()} names its record.
 *
 * @param <V> the value's type
 */
@FunctionalInterface
public interface AsyncRecordHandler<V> {

  /**
   * Starts to handle one record.
   *
   * @param value the decoded value; null for a tombstone
   * @param context the record's key, headers and position; may be read until the stage completes
   * @return completes, on any thread, when the record is done; completes exceptionally when it
   *     failed, which counts as an exception does: the record is tried again, then goes to the
   *     dead-letter topic or stops the consumer. Null counts as a failure
   * @throws Exception when the record could not be handled
   */
  CompletionStage<?> handle(V value, RecordContext context) throws Exception;
}
