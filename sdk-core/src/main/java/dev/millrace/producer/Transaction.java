package dev.millrace.producer;

import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.jspecify.annotations.Nullable;

/**
 * An open transaction. Any thread may send into it until its work has returned; then it is over,
 * and refuses. A send that fails keeps the whole from being committed, whether or not anybody looks
 * at its future; so there is no need to wait for the futures.
 *
 * @param <V> the value's type
 */
public interface Transaction<V> {

  /**
   * Sends to the producer's topic. The call itself waits, for up to {@code max.block.ms} (10
   * seconds unless the profile or a property says otherwise), while the topic is not known to the
   * brokers or the client's buffer is full.
   *
   * @param key decides the partition and the order; null spreads records over the partitions
   * @param value the value; null is a tombstone
   * @return completes when the brokers have the record, on the client's I/O thread; only the commit
   *     makes it visible
   * @throws IllegalStateException when the transaction is over, or when the definition names
   *     several topics or none
   * @throws dev.millrace.errors.TransactionAbortedException when the transaction has outlived
   *     {@code transaction.timeout}
   * @throws dev.millrace.errors.PayloadException when the value can't be encoded
   */
  CompletableFuture<RecordMetadata> send(@Nullable String key, @Nullable V value);

  /**
   * Sends to one of the producer's topics.
   *
   * @param topic one of the topics in the definition
   * @param key decides the partition and the order; null spreads records over the partitions
   * @param value the value; null is a tombstone
   * @return as for {@link #send(String, Object)}, and throws the same
   * @throws IllegalArgumentException when the definition does not name the topic
   */
  CompletableFuture<RecordMetadata> send(String topic, @Nullable String key, @Nullable V value);

  /**
   * Sends a record with all that Kafka lets it have: headers, a partition, a timestamp.
   *
   * @param message for one of the topics in the definition
   * @return as for {@link #send(String, Object)}, and throws the same
   * @throws IllegalArgumentException when the definition does not name the topic
   */
  CompletableFuture<RecordMetadata> send(ProducerRecord<String, V> message);
}
