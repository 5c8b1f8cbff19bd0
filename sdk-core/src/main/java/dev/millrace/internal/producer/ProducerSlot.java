package dev.millrace.internal.producer;

import dev.millrace.internal.metrics.ClientMeters;
import dev.millrace.internal.metrics.ProducerMeters;
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
  private final ClientMeters.Binding binding;
  private final ProducerMeters meters;
  private final ForgottenFailures forgotten;

  ProducerSlot(
      String name, Map<String, Object> settings, ClientMeters clientMeters, ProducerMeters meters) {
    this.meters = meters;
    this.forgotten = new ForgottenFailures(name);
    this.producer = new KafkaProducer<>(settings);
    try {
      this.binding = clientMeters.bind(producer, name);
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
    Flight flight = new Flight(meters);
    try {
      var unused = producer.send(message, flight);
    } catch (RuntimeException e) {
      flight.fail(e);
    }
    return flight.future();
  }

  void sendAndForget(ProducerRecord<byte[], byte[]> message) {
    var unused =
        send(message)
            .exceptionally(
                failure -> {
                  forgotten.report(failure);
                  return null;
                });
  }

  void flush() {
    producer.flush();
  }

  void close(Duration timeout) {
    binding.close();
    meters.close();
    producer.close(timeout);
  }
}
