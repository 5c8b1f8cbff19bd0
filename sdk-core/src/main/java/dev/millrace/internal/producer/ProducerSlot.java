package dev.millrace.internal.producer;

import dev.millrace.internal.metrics.ClientMeters;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;

/** One shared Kafka producer. Any thread. */
public final class ProducerSlot {
  private final Producer<byte[], byte[]> producer;
  private final ClientMeters.Binding metrics;

  ProducerSlot(String name, Map<String, Object> settings, ClientMeters meters) {
    this.producer = new KafkaProducer<>(settings);
    try {
      this.metrics = meters.bind(producer, name);
    } catch (RuntimeException e) {
      producer.close(Duration.ZERO);
      throw e;
    }
  }

  /**
   * Sends one record. What the client throws at once and what it reports later both arrive in the
   * future, which completes on the client's I/O thread.
   */
  public CompletableFuture<RecordMetadata> send(ProducerRecord<byte[], byte[]> message) {
    CompletableFuture<RecordMetadata> sent = new CompletableFuture<>();
    try {
      var unused =
          producer.send(
              message,
              (metadata, failure) -> {
                if (failure == null) {
                  sent.complete(metadata);
                } else {
                  sent.completeExceptionally(failure);
                }
              });
    } catch (RuntimeException e) {
      sent.completeExceptionally(e);
    }
    return sent;
  }

  void flush() {
    producer.flush();
  }

  void close(Duration timeout) {
    metrics.close();
    producer.close(timeout);
  }
}
