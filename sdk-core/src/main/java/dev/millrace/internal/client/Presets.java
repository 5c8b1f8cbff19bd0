package dev.millrace.internal.client;

import dev.millrace.config.DeliverySemantics;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;

/** What each promise sets, by Kafka's own names; docs/PRESETS.md has it as a table. */
final class Presets {
  private Presets() {}

  static Map<String, String> producer(DeliverySemantics semantics) {
    return switch (semantics) {
      case AT_MOST_ONCE ->
          Map.of(
              ProducerConfig.ACKS_CONFIG, "0",
              ProducerConfig.RETRIES_CONFIG, "0",
              ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, "false");
      case AT_LEAST_ONCE, EXACTLY_ONCE ->
          Map.of(
              ProducerConfig.ACKS_CONFIG, "all",
              ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, "true");
    };
  }

  static Map<String, String> consumer(DeliverySemantics semantics) {
    return switch (semantics) {
      case AT_MOST_ONCE, AT_LEAST_ONCE -> Map.of();
      case EXACTLY_ONCE -> Map.of(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
    };
  }
}
