package dev.millrace.examples.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.KafkaFactory;
import dev.millrace.config.ConfigLoader;
import dev.millrace.config.KafkaConfig;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import dev.millrace.testkit.probe.GroupProbe;
import dev.millrace.testkit.probe.TopicProbe;
import java.time.Duration;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;

@KafkaTest
class OrdersTest {
  @Test
  void ordersOfACustomerAreReservedInTheirOrder(KafkaCluster kafka, TestTopics topics) {
    String orders = topics.create("orders", 4);
    String group = topics.groupId("stock");
    KafkaConfig config =
        ConfigLoader.create()
            .environment(
                Map.of("KAFKA", kafka.bootstrapServers(), "ORDERS", orders, "GROUP", group))
            .parse(
                "test.yaml",
                """
                kafka:
                  common: { bootstrap-servers: "${KAFKA}" }
                  producers: { order-producer: { topics: ["${ORDERS}"] } }
                  consumers: { order-consumer: { topics: ["${ORDERS}"], group-id: "${GROUP}" } }
                """);
    Queue<String> reserved = new ConcurrentLinkedQueue<>();
    try (KafkaFactory factory = KafkaFactory.create(config)) {
      factory
          .createConsumer("order-consumer", String.class)
          .subscribe((order, context) -> reserved.add(order));
      var producer = factory.createProducer("order-producer", String.class);
      producer.send("customer-42", "o-1").join();
      producer.send("customer-42", "o-2").join();

      GroupProbe.of(kafka.directServers(), group, orders).awaitLagZero(Duration.ofSeconds(60));
    }
    assertThat(reserved).containsExactly("o-1", "o-2");
    assertThat(TopicProbe.of(kafka.directServers(), orders).readAll()).hasSize(2);
  }
}
