package dev.millrace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.config.ConfigLoader;
import dev.millrace.consumer.ConsumerState;
import dev.millrace.consumer.MessageConsumer;
import dev.millrace.producer.MessageProducer;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import dev.millrace.testkit.probe.GroupProbe;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The file a service already has, in JSON and Pascal case, from load to a clean close. */
@KafkaTest
class FirstUseTest {
  private static final String FILE =
      """
      {"Kafka":{"Common":{"BootstrapServers":"localhost:9092","ServiceShortName":"my-service"},
        "Producers":[{"Name":"OrderProducer","Topics":["orders"],"DeliverySemantics":"AtLeastOnce","EnableIdempotence":true}],
        "Consumers":[{"Name":"OrderConsumer","GroupId":"order-processing-group","Topics":["orders"],
          "DeliverySemantics":"AtLeastOnce","ChannelCapacity":1000}]}}
      """;

  record Order(String id, int quantity) {}

  @Test
  void theFilePublishesAndConsumesAThousandRecords(KafkaCluster broker, @TempDir Path folder)
      throws Exception {
    // Unchanged but for the address: the broker listens on a free port.
    Path file =
        Files.writeString(
            folder.resolve("kafka.json"),
            FILE.replace("localhost:9092", broker.bootstrapServers()));
    broker.createTopic("orders", 4);
    Set<Order> handled = ConcurrentHashMap.newKeySet();
    CountDownLatch all = new CountDownLatch(1_000);

    try (KafkaFactory kafka = KafkaFactory.load(file)) {
      MessageProducer<Order> producer = kafka.createProducer("OrderProducer", Order.class);
      MessageConsumer consumer =
          kafka
              .createConsumer("OrderConsumer", Order.class)
              .subscribe(
                  (order, context) -> {
                    handled.add(order);
                    all.countDown();
                  });
      List<CompletableFuture<?>> sent = new ArrayList<>();
      for (int i = 0; i < 1_000; i++) {
        sent.add(producer.send("customer-" + i % 50, new Order("o-" + i, i)));
      }
      CompletableFuture.allOf(sent.toArray(CompletableFuture<?>[]::new)).join();

      assertThat(all.await(60, TimeUnit.SECONDS)).isTrue();
      GroupProbe.of(broker.bootstrapServers(), "order-processing-group", "orders")
          .awaitLagZero(Duration.ofSeconds(60));
      consumer.close();
      assertThat(consumer.state()).isEqualTo(ConsumerState.CLOSED);
    } finally {
      broker.deleteTopic("orders");
    }
    assertThat(handled).hasSize(1_000);
  }

  @Test
  void aConsumerRunsOnceInAFactoryAndAgainOnceItHasEnded(KafkaCluster broker, TestTopics topics) {
    String yaml =
        "kafka: { common: { bootstrap-servers: '%s' }, consumers: { c: { topics: [%s], group-id: %s } } }"
            .formatted(
                broker.bootstrapServers(), topics.create("orders", 1), topics.groupId("orders"));
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    try (KafkaFactory kafka =
        KafkaFactory.builder()
            .meterRegistry(registry)
            .create(ConfigLoader.create().parse("test", yaml))) {
      MessageConsumer first = kafka.createConsumer("c").subscribe((value, context) -> {});

      assertThatThrownBy(() -> kafka.createConsumer("c").subscribe((value, context) -> {}))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("Consumer 'c' is already running");
      assertThat(first.state()).isEqualTo(ConsumerState.RUNNING);
      assertThat(registry.find("millrace.consumer.records").counters()).isNotEmpty();

      first.close();
      assertThat(registry.getMeters()).isEmpty();
      kafka.createConsumer("c").subscribe((value, context) -> {}).close();
    }
  }
}
