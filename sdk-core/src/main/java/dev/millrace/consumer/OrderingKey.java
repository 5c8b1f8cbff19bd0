package dev.millrace.consumer;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/**
 * Says by what records are kept in order under {@code ordering: key}, where that is not their key:
 * part of the key, or a header. Of one partition, two records with equal ordering keys are never in
 * their handlers at the same time, and are handled in offset order; records of different partitions
 * have no order, whatever their ordering keys.
 *
 * <p>Called on the consumer's poll thread, for each record that was polled and is to be handled,
 * one after the other. So it must be quick, some microseconds at most, and must not block: while it
 * runs nothing is polled or committed, and a consumer that does not poll for {@code
 * max.poll.interval.ms} is thrown out of its group. It must not change the record, nor keep it.
 *
 * <p>With {@code retry.keep-key-order} it is also called on another thread of the consumer, at the
 * same time, for what is found in retry topics.
 *
 * <p>For the same record it must always return the same: after a crash or a rebalance the record
 * may come again, and is asked for again.
 */
@FunctionalInterface
public interface OrderingKey {

  /**
   * Returns the bytes by which a record is kept in order; they are not kept.
   *
   * <p>When this throws, in whatever way, nobody knows which records the record must wait for. So
   * its handler is not called, and it is not tried again: it goes to the dead-letter topic, or
   * stops the consumer where there is none. All others go on.
   *
   * @param record as it was polled: key, value and headers still bytes
   * @return null when the record is to be treated as one without a key, as {@code keyless-records}
   *     says: by default it has no order
   */
  byte @Nullable [] of(ConsumerRecord<byte[], byte[]> record);
}
