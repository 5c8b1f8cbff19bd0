package dev.millrace.producer;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.jspecify.annotations.Nullable;

/**
 * A light handle on a named producer. All handles of one name share its Kafka client, which is
 * thread-safe; so is the handle.
 *
 * <p>Every send encodes the value on the caller's thread. Like Kafka's own, the call itself waits,
 * for up to {@code max.block.ms} (10 seconds unless the profile or a property says otherwise),
 * while the topic is not known to the brokers or the client's buffer is full. Every send throws
 *
 * <ul>
 *   <li>{@link IllegalStateException} when this handle or the factory is closed, or when no topic
 *       is said and the definition names several or none;
 *   <li>{@link IllegalArgumentException} when the definition does not name the topic;
 *   <li>{@link dev.millrace.errors.PayloadException} when the value can't be encoded.
 * </ul>
 *
 * What Kafka reports is in the future.
 *
 * @param <V> the value's type
 */
public interface MessageProducer<V> extends AutoCloseable {

  /** Returns its name in the configuration. */
  String name();

  /**
   * Sends to the producer's only topic.
   *
   * @param key decides the partition and the order; null spreads records over the partitions
   * @param value the value; null is a tombstone
   * @return as for {@link #send(Message)}
   */
  default CompletableFuture<RecordMetadata> send(@Nullable String key, @Nullable V value) {
    return send(Message.of(key, value));
  }

  /**
   * Sends to one of the producer's topics.
   *
   * @param topic one of the topics in the definition
   * @param key decides the partition and the order; null spreads records over the partitions
   * @param value the value; null is a tombstone
   * @return as for {@link #send(Message)}
   */
  default CompletableFuture<RecordMetadata> send(
      String topic, @Nullable String key, @Nullable V value) {
    return send(Message.of(key, value).withTopic(topic));
  }

  /**
   * Sends a record.
   *
   * @return completes when the brokers have acknowledged as the promise says, on the client's I/O
   *     thread; completes exceptionally with Kafka's exception when they have not
   */
  CompletableFuture<RecordMetadata> send(Message<V> message);

  /**
   * Sends several records, in their order. When one of the values can't be encoded, or one of the
   * topics is not the producer's, none is sent.
   *
   * @return completes when all are acknowledged, with what {@link #send(Message)} says of each, in
   *     their order; when one or more have failed, completes exceptionally with a {@link
   *     dev.millrace.errors.SendAllException} that names them, after the last has ended. That one
   *     failed keeps none of the others back
   */
  CompletableFuture<List<RecordMetadata>> sendAll(Collection<Message<V>> messages);

  /**
   * Sends a record whose failure nobody waits for: the log names it, at most once a second, and
   * {@code millrace.producer.records} counts it.
   */
  void sendAndForget(Message<V> message);

  /**
   * Sends a record and waits for its acknowledgement.
   *
   * @param timeout how long to wait in all; the call takes longer when the send itself does, by up
   *     to {@code max.block.ms}
   * @throws org.apache.kafka.common.errors.TimeoutException when there is none in time; the record
   *     may still be written
   * @throws org.apache.kafka.common.KafkaException what Kafka reports about the send
   * @throws org.apache.kafka.common.errors.InterruptException when the thread is interrupted, which
   *     it then still is; the record may still be written
   */
  RecordMetadata sendAndWait(Message<V> message, Duration timeout);

  /** Waits until all records sent by this producer's name are acknowledged or have failed. */
  void flush();

  /**
   * Gives the handle back. Records already sent still reach the brokers. The shared Kafka client
   * stays warm for the next handle until the factory closes, or nobody has had one for {@code
   * idle-eviction}. Closing again is harmless.
   */
  @Override
  void close();
}
