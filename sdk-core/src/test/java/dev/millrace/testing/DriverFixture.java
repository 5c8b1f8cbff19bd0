package dev.millrace.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.millrace.config.ConfigLoader;
import dev.millrace.config.KafkaConfig;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;

/** A configuration, a value and a handler for tests of the driver. */
final class DriverFixture {
  /** Nobody answers there. */
  private static final String CONFIG =
      """
      kafka:
        common: { bootstrap-servers: "no-such-host.invalid:1" }
        consumers:
          order-consumer:
            topics: [orders]
            group-id: stock
            commit-interval: 50ms
            drain-timeout: 2s
            retry: { max-attempts: 3, backoff: { initial: 100ms, multiplier: 2, max: 10s, jitter: 0.5 } }
            dead-letter: {}
            %s
      """;

  private DriverFixture() {}

  /**
   * @param more keys of the consumer, such as {@code concurrency: 2}
   */
  static KafkaConfig config(String more) {
    return ConfigLoader.create().parse("test.yaml", CONFIG.formatted(more));
  }

  static KafkaConfig withoutDeadLetters() {
    return ConfigLoader.create()
        .parse("test.yaml", CONFIG.replace("dead-letter: {}", "%s").formatted("", ""));
  }

  /** Returns a configuration with one attempt in place, and then retry topics. */
  static KafkaConfig withRetryTopics(String delays) {
    return ConfigLoader.create()
        .parse(
            "test.yaml",
            CONFIG
                .formatted("")
                .replace("max-attempts: 3,", "max-attempts: 1, topics: " + delays + ","));
  }

  /**
   * @param more keys of {@code retry}, such as {@code max-duration: 1s}
   */
  static KafkaConfig withRetry(String more) {
    return ConfigLoader.create()
        .parse(
            "test.yaml",
            CONFIG.formatted("").replace("max-attempts: 3,", "max-attempts: 3, " + more + ","));
  }

  record Order(String id, int quantity) {}

  static ConsumerDriver.Builder<Order> orders() {
    return orders("");
  }

  static ConsumerDriver.Builder<Order> orders(String more) {
    return ConsumerDriver.builder(config(more), "order-consumer", Order.class);
  }

  static ConsumerDriver.Builder<String> texts(String more) {
    return ConsumerDriver.builder(config(more), "order-consumer", String.class);
  }

  static ProducerRecord<byte[], byte[]> record(int partition, String key, String value) {
    return new ProducerRecord<>("orders", partition, key.getBytes(UTF_8), value.getBytes(UTF_8));
  }

  static TopicPartition partitionOf(RecordMetadata sent) {
    return new TopicPartition(sent.topic(), sent.partition());
  }

  /** Returns the attempts as {@code key@offset#number state}. */
  static List<String> told(ConsumerDriver<?> driver) {
    List<String> told = new ArrayList<>();
    for (Attempt attempt : driver.attempts()) {
      told.add(
          "%s@%d#%d %s"
              .formatted(attempt.key(), attempt.offset(), attempt.number(), attempt.state()));
    }
    return told;
  }
}
