package dev.millrace.consumer;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/**
 * Says which message a record is, where that is neither a header nor its key: two records with the
 * same id, in whatever topics the consumer's group reads, are the same message, and its handler is
 * called for one of them.
 *
 * <p>Called on workers' threads, for many records at a time, and again for each delivery of a
 * record, for which it must return the same. It must not change the record, nor keep it.
 */
@FunctionalInterface
public interface IdempotencyKey {

  /**
   * Returns the record's message id. What this throws is treated as the handler's failure.
   *
   * @param record as it was polled: key, value and headers still bytes
   * @return of any length; null or empty when it has none, which {@code missing-id} is for
   */
  @Nullable String of(ConsumerRecord<byte[], byte[]> record);
}
