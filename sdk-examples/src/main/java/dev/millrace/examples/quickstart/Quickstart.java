package dev.millrace.examples.quickstart;

import dev.millrace.KafkaFactory;
import dev.millrace.config.ConfigLoader;
import dev.millrace.config.KafkaConfig;
import dev.millrace.consumer.ConsumerState;
import dev.millrace.consumer.MessageConsumer;
import dev.millrace.producer.MessageProducer;
import dev.millrace.testkit.cluster.KafkaCluster;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.producer.RecordMetadata;

/**
 * Publishes orders, handles them concurrently, and checks what Millrace promises: none lost, none
 * twice, each customer's in order, and the one that can't be read in the dead-letter topic.
 */
public final class Quickstart {
  private static final Duration LONGEST_RUN = Duration.ofSeconds(60);

  private final KafkaCluster broker;
  private final int orders;
  private final int customers;

  Quickstart(KafkaCluster broker, int orders, int customers) {
    this.broker = broker;
    this.orders = orders;
    this.customers = customers;
  }

  /** Exits with 0 if all checks held, else with 1. */
  public static void main(String[] args) throws Exception {
    System.out.println("Starting a Kafka broker inside this JVM ...");
    Summary summary;
    try (KafkaCluster broker = KafkaCluster.start()) {
      summary = new Quickstart(broker, 20_000, 500).run();
    }
    System.out.println(summary.text());
    System.exit(summary.problems().isEmpty() ? 0 : 1);
  }

  Summary run() throws Exception {
    broker.createTopic("orders", 12);
    OrderChecks checks = new OrderChecks(orders);
    Latencies latencies = new Latencies();
    Duration took;

    try (KafkaFactory kafka = KafkaFactory.create(config())) {
      MessageConsumer consumer =
          kafka
              .createConsumer("order-consumer", Order.class)
              .subscribe(
                  (order, context) -> {
                    checks.started(order);
                    Thread.sleep(1); // here a service does its work
                    checks.finished(order);
                    latencies.add(System.currentTimeMillis() - context.timestamp());
                  });
      long start = System.nanoTime();
      CompletableFuture<Void> published = publish(kafka);
      awaitAll(checks, consumer, published);
      took = Duration.ofNanos(System.nanoTime() - start);
      published.join();
    } // closing the factory closes the consumer, which commits what it has finished

    PlainKafka plain = new PlainKafka(broker);
    return new Summary(
        orders,
        checks.result(),
        plain.records("orders.order-service.dlq"),
        plain.lag("order-service", "orders"),
        took,
        latencies);
  }

  private KafkaConfig config() throws IOException {
    try (InputStream yaml = Quickstart.class.getResourceAsStream("/kafka.yaml")) {
      String text = new String(Objects.requireNonNull(yaml).readAllBytes(), StandardCharsets.UTF_8);
      return ConfigLoader.create()
          .environment(Map.of("KAFKA_BOOTSTRAP", broker.bootstrapServers()))
          .parse("kafka.yaml", text);
    }
  }

  /** Sends everything; what it returns completes when the brokers have acknowledged all. */
  private CompletableFuture<Void> publish(KafkaFactory kafka) {
    List<CompletableFuture<RecordMetadata>> sent = new ArrayList<>();
    MessageProducer<Order> producer = kafka.createProducer("order-producer", Order.class);
    for (int i = 0; i < orders; i++) {
      if (i == orders / 2) {
        // In the midst of its customer's orders, one that is no JSON: those behind it must flow.
        sent.add(
            kafka.createProducer("order-producer", String.class).send(customer(0), "not an order"));
      }
      Order order = new Order(customer(i % customers), i / customers);
      sent.add(producer.send(order.customer(), order));
    }
    return CompletableFuture.allOf(sent.toArray(CompletableFuture[]::new));
  }

  private static String customer(int number) {
    return "customer-" + number;
  }

  private void awaitAll(
      OrderChecks checks, MessageConsumer consumer, CompletableFuture<Void> published)
      throws InterruptedException {
    ProgressBar progress = new ProgressBar(orders);
    long deadline = System.nanoTime() + LONGEST_RUN.toNanos();
    boolean complete = false;
    while (!complete
        && consumer.state() == ConsumerState.RUNNING
        && !published.isCompletedExceptionally()
        && System.nanoTime() - deadline < 0) {
      complete = checks.awaitAll(Duration.ofMillis(100));
      progress.show(checks.handled());
    }
    progress.end();
  }
}
