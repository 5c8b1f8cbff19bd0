package dev.millrace.internal.transaction;

import java.time.Duration;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/**
 * Transactions of one transactional id, one after the other. The slice's thread begins and ends
 * them; between, any thread may send.
 */
public interface Transactions {

  /**
   * Begins one, if need be on a new client. Returns only when no earlier one of the same id can
   * still be committed.
   *
   * @throws RuntimeException when it can't be begun now
   */
  void begin();

  /**
   * Waits until the brokers have told of a topic, so that no send has to. Any thread, also while
   * none is open.
   *
   * @throws RuntimeException when it is not there, or may not be seen
   */
  void awaitTopic(String topic);

  /**
   * Sends a record in the transaction that is open. One that fails, now or later, keeps the
   * transaction from being committed.
   *
   * @param onFailure told, before the transaction has ended, what it failed with
   */
  void send(ProducerRecord<byte[], byte[]> output, Consumer<Throwable> onFailure);

  /**
   * Commits what was sent, and the offsets.
   *
   * @param group as read after the last poll
   * @throws RuntimeException when it is not committed, or nobody knows
   */
  void commit(Map<TopicPartition, OffsetAndMetadata> offsets, ConsumerGroupMetadata group);

  /** Aborts what is open, if anything is; if that fails, the next {@link #begin} sees to it. */
  void abort();

  /** Ends it for good, within the bound; what is open is not committed. */
  void close(Duration bound);
}
