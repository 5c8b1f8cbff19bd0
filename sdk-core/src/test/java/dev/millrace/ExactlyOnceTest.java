package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.MessageConsumer;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

@KafkaTest
class ExactlyOnceTest {
  private final BrokerFixture broker;
  private final KafkaCluster kafka;

  ExactlyOnceTest(KafkaCluster kafka, TestTopics topics) {
    broker = new BrokerFixture(kafka, topics);
    this.kafka = kafka;
  }

  @AfterEach
  void close() {
    broker.close();
  }

  @Test
  void eachInputHasItsOutputOnce() {
    int records = 20_000;
    broker.create(8);
    String out = broker.topic() + "-out";
    kafka.createTopic(out, 4);
    for (int i = 0; i < records; i++) {
      broker.sendLater("key-" + i % 500, Integer.toString(i));
    }
    broker.flush();
    MessageConsumer consumer =
        broker
            .factory(
                """
                kafka:
                  common: { bootstrap-servers: "${BROKERS}" }
                  consumers:
                    copy:
                      topics: ["${TOPIC}"]
                      group-id: ${GROUP}
                      delivery-semantics: exactly-once
                      concurrency: 16
                """)
            .createConsumer("copy", String.class)
            .subscribe(
                (value, context) -> {
                  context.send(out, context.key(), value);
                });
    Map<String, Integer> counts = new HashMap<>();
    try (KafkaConsumer<String, String> reader =
        new KafkaConsumer<>(
            Map.of(
                ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG,
                kafka.bootstrapServers(),
                ConsumerConfig.GROUP_ID_CONFIG,
                "check-" + out,
                ConsumerConfig.AUTO_OFFSET_RESET_CONFIG,
                "earliest",
                ConsumerConfig.ISOLATION_LEVEL_CONFIG,
                "read_committed"),
            new StringDeserializer(),
            new StringDeserializer())) {
      reader.subscribe(List.of(out));
      await()
          .atMost(SOON)
          .until(
              () -> {
                for (ConsumerRecord<String, String> record : reader.poll(Duration.ofMillis(50))) {
                  counts.merge(record.value(), 1, Integer::sum);
                }
                return counts.size() == records;
              });
      broker.awaitLagZero();
    }
    assertThat(counts.values()).allMatch(count -> count == 1);
    assertThat(consumer.isHealthy()).isTrue();
  }
}
