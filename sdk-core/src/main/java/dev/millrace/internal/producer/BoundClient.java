package dev.millrace.internal.producer;

import dev.millrace.internal.metrics.ClientMeters;
import java.time.Duration;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;

/** A Kafka client with its meters. Any thread. */
final class BoundClient {
  private final Producer<byte[], byte[]> producer;
  private final ClientMeters.Binding binding;
  private final long madeNanos = System.nanoTime();

  private BoundClient(Producer<byte[], byte[]> producer, ClientMeters.Binding binding) {
    this.producer = producer;
    this.binding = binding;
  }

  static BoundClient make(String name, Map<String, Object> settings, ClientMeters meters) {
    Producer<byte[], byte[]> producer = new KafkaProducer<>(settings);
    try {
      return new BoundClient(producer, meters.bind(producer, name));
    } catch (RuntimeException e) {
      producer.close(Duration.ZERO);
      throw e;
    }
  }

  Producer<byte[], byte[]> producer() {
    return producer;
  }

  Duration age() {
    return Duration.ofNanos(System.nanoTime() - madeNanos);
  }

  /** Closing again is harmless. Records already sent get until the timeout to be acknowledged. */
  void close(Duration timeout) {
    binding.close();
    producer.close(timeout);
  }
}
