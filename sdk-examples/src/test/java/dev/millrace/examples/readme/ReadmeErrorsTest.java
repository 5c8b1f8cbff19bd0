package dev.millrace.examples.readme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.millrace.KafkaFactory;
import dev.millrace.config.ConfigLoader;
import dev.millrace.config.KafkaConfig;
import dev.millrace.consumer.MessageConsumer;
import dev.millrace.producer.Message;
import dev.millrace.producer.MessageProducer;
import dev.millrace.producer.TransactionalProducer;
import dev.millrace.testkit.cluster.KafkaCluster;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The README shows errors as a user meets them: each is made to happen, and must read like that.
 */
@Timeout(400)
class ReadmeErrorsTest {
  private static final String CONFIG =
      """
      kafka:
        common: { bootstrap-servers: "%s", connect-timeout: 1s }
        producers:
          order-producer: { topics: [orders] }
          audit-producer: { topics: [orders, audit] }
          exact-producer:
            topics: [orders]
            delivery-semantics: exactly-once
            transaction: { slots: 1, acquire-timeout: 50ms }
        consumers:
          order-consumer: { topics: [orders], group-id: order-service, retry: { max-attempts: 1 } }
      """;

  private static KafkaCluster broker;
  private static KafkaFactory kafka;

  @BeforeAll
  static void start() {
    broker = KafkaCluster.start();
    broker.createTopic("orders", 1);
    kafka = KafkaFactory.create(config(broker.bootstrapServers()));
  }

  @AfterAll
  static void stop() {
    kafka.close();
    broker.close();
  }

  @Test
  void mistakesInTheFile(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("kafka.yaml");
    Files.writeString(
        file,
        """
        kafka:
          common: { bootstrap-servers: "localhost" }
          producers:
            order-producer:
              topics: [orders]
              properties: { acks: 1, linger.msec: 5 }
          consumers:
            order-consumer:
              topics: [orders]
              orderng: key
              close-timeout: 30
        """);
    assertShown(message(() -> KafkaFactory.load(file)).replace(folder + "/", ""));
  }

  @Test
  void anUnknownName() {
    assertShown(message(() -> kafka.createProducer("ordr-producer", String.class)));
  }

  @Test
  void noBroker() {
    try (KafkaFactory lonely = KafkaFactory.create(config("127.0.0.1:1"))) {
      String message = message(() -> lonely.createProducer("order-producer", String.class));
      assertShown(message.replaceFirst("\\(TimeoutException: .*", "(TimeoutException: "));
      assertShown(message.replaceFirst(".*\\. Check", ". Check")); // the client's words may differ
    }
  }

  @Test
  void anotherKindOfProducer() {
    assertShown(message(() -> kafka.createProducer("exact-producer", String.class)));
  }

  @Test
  void allSlotsInUse() {
    TransactionalProducer<String> exact =
        kafka.createTransactionalProducer("exact-producer", String.class);
    exact.inTransaction(
        tx -> {
          CompletableFuture<String> second =
              CompletableFuture.supplyAsync(
                  () -> message(() -> exact.inTransaction(other -> null)));
          assertShown(second.join().replaceFirst("within \\d+ ms", "within 50 ms"));
          return null;
        });
  }

  @Test
  void whichTopic() {
    MessageProducer<String> audit = kafka.createProducer("audit-producer", String.class);
    assertShown(message(() -> audit.send("key", "value").join()));
    assertShown(message(() -> audit.send("invoices", "key", "value").join()));
  }

  @Test
  void noRoom() {
    broker.createTopic("busy", 1);
    String yaml =
        """
        kafka:
          common: { bootstrap-servers: "%s" }
          producers:
            busy-producer:
              { topics: [busy], max-in-flight-records: 1, when-full: fail, properties: { linger.ms: 60000 } }
        """;
    KafkaConfig config =
        ConfigLoader.create().parse("kafka.yaml", yaml.formatted(broker.bootstrapServers()));
    try (KafkaFactory factory = KafkaFactory.create(config)) {
      MessageProducer<String> busy = factory.createProducer("busy-producer", String.class);
      var unused = busy.send(null, "1");
      assertShown(message(() -> busy.sendAndWait(Message.of(null, "2"), Duration.ofSeconds(60))));
    }
  }

  @Test
  void aRecordThatStopsItsConsumer() throws Exception {
    kafka.createProducer("order-producer", String.class).send("a", "b").join();
    try (MessageConsumer consumer =
        kafka
            .createConsumer("order-consumer", String.class)
            .subscribe(
                (order, context) -> {
                  throw new IllegalStateException("out of stock");
                })) {
      assertShown(message(() -> consumer.awaitClosed(Duration.ofSeconds(60))));
    }
  }

  @Test
  void afterClose() {
    KafkaFactory closed = KafkaFactory.create(config(broker.bootstrapServers()));
    MessageProducer<String> orders = closed.createProducer("order-producer", String.class);
    closed.close();
    assertShown(message(() -> orders.send("key", "value").join()));
  }

  private static KafkaConfig config(String servers) {
    return ConfigLoader.create()
        .environment(Map.of())
        .parse("kafka.yaml", CONFIG.formatted(servers));
  }

  private static String message(ThrowingCallable action) {
    Throwable thrown = catchThrowable(action);
    return thrown == null ? "nothing was thrown" : String.valueOf(thrown.getMessage());
  }

  private static void assertShown(String message) {
    assertThat(Readme.text()).contains(message);
  }
}
