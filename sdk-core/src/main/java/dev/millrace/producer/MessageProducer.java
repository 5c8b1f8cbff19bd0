package dev.millrace.producer;

import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.jspecify.annotations.Nullable;

/**
 * A light handle on a named producer. All handles of one name share one Kafka client, which is
 * thread-safe; so is the handle.
 *
 * @param <V> the value's type
 */
public interface MessageProducer<V> extends AutoCloseable {

  /** Returns its name in the configuration. */
  String name();

  /**
   * Sends to the producer's topic. Like Kafka's own, the call itself waits, for up to {@code
   * max.block.ms} (10 seconds unless the profile or a property says otherwise), while the topic is
   * not known to the brokers or the client's buffer is full.
   *
   * @param key decides the partition and the order; null spreads records over the partitions
   * @param value the value; null is a tombstone
   * @return completes when the brokers have acknowledged as the promise says, on the client's I/O
   *     thread; completes exceptionally with Kafka's exception when they have not
   * @throws IllegalStateException when this handle or the factory is closed, or when the definition
   *     names several topics or none
   * @throws dev.millrace.errors.PayloadException when the value can't be encoded
   */
  CompletableFuture<RecordMetadata> send(@Nullable String key, @Nullable V value);

  /**
   * Sends to one of the producer's topics.
   *
   * @param topic one of the topics in the definition
   * @param key decides the partition and the order; null spreads records over the partitions
   * @param value the value; null is a tombstone
   * @return as for {@link #send(String, Object)}
   * @throws IllegalArgumentException when the definition does not name the topic
   * @throws IllegalStateException when this handle or the factory is closed
   * @throws dev.millrace.errors.PayloadException when the value can't be encoded
   */
  CompletableFuture<RecordMetadata> send(String topic, @Nullable String key, @Nullable V value);

  /** Waits until all records sent by this producer's name are acknowledged or have failed. */
  void flush();

  /**
   * Gives the handle back. The shared Kafka client stays warm until the factory closes, and records
   * already sent still reach the brokers. Closing again is harmless.
   */
  @Override
  void close();
}
