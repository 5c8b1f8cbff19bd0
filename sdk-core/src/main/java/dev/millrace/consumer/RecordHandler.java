package dev.millrace.consumer;

/**
 * A service's own work for one record.
 *
 * <p>Called by worker threads, by up to {@code concurrency} of them at the same time, and in offset
 * order for records that share an order (see {@link dev.millrace.config.Ordering}). Returning means
 * done: the record's offset may be committed. Throwing anything means failed: the record is tried
 * again, then goes to the dead-letter topic or stops the consumer.
 *
 * @param <V> the value's type
 */
@FunctionalInterface
public interface RecordHandler<V> {

  /**
   * Handles one record.
   *
   * @param value the decoded value; null for a tombstone
   * @param context the record's key, headers and position
   * @throws Exception when the record could not be handled
   */
  void handle(V value, RecordContext context) throws Exception;
}
