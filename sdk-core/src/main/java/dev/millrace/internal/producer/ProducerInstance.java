package dev.millrace.internal.producer;

import dev.millrace.internal.metrics.ClientMeters;
import java.time.Duration;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;

/** One Kafka client of a named producer. Any thread. */
final class ProducerInstance {
  private final Producer<byte[], byte[]> client;
  private final ClientMeters.Binding binding;

  ProducerInstance(String name, Map<String, Object> settings, ClientMeters meters) {
    this.client = new KafkaProducer<>(settings);
    try {
      this.binding = meters.bind(client, name);
    } catch (RuntimeException e) {
      client.close(Duration.ZERO);
      throw e;
    }
  }

  /** What the client throws at once arrives in the flight, too. */
  void send(ProducerRecord<byte[], byte[]> message, Flight flight) {
    try {
      var unused = client.send(message, flight);
    } catch (RuntimeException e) {
      flight.fail(e);
    }
  }

  void flush() {
    client.flush();
  }

  void close(Duration timeout) {
    binding.close();
    client.close(timeout);
  }
}
