package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.producer.MessageProducer;
import dev.millrace.producer.ProducerStatistics;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** How handles come and go, and the Kafka clients behind them. */
@KafkaTest
class ProducerPoolTest {
  private static final String CONFIG =
      """
      kafka:
        common: { bootstrap-servers: "${BROKERS}" }
        defaults: { producers: { profile: latency } }
        producers:
          brief: { topics: ["${TOPIC}"], idle-eviction: 1ms }
          held: { topics: ["${TOPIC}"], idle-eviction: 1ms }
          unsent:
            topics: ["${TOPIC}"]
            idle-eviction: 1ms
            properties: { linger.ms: 600000, delivery.timeout.ms: 700000 }
          kept: { topics: ["${TOPIC}"], idle-eviction: 0ms }
          pool-0: { topics: ["${TOPIC}"] }
          pool-1: { topics: ["${TOPIC}"] }
          pool-2: { topics: ["${TOPIC}"] }
          pool-3: { topics: ["${TOPIC}"] }
          pool-4: { topics: ["${TOPIC}"] }
          pool-5: { topics: ["${TOPIC}"] }
          pool-6: { topics: ["${TOPIC}"] }
          pool-7: { topics: ["${TOPIC}"] }
          pool-8: { topics: ["${TOPIC}"] }
          pool-9: { topics: ["${TOPIC}"] }
      """;

  private final BrokerFixture broker;
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final KafkaFactory factory;

  ProducerPoolTest(KafkaCluster kafka, TestTopics topics) {
    broker = new BrokerFixture(kafka, topics);
    broker.create(1);
    factory = broker.factory(CONFIG, registry);
  }

  @AfterEach
  void close() {
    broker.close();
  }

  @Test
  void aHundredThreadsOfTenNamesHaveTenClients() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(100);
    try {
      List<Future<?>> work = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        int thread = i;
        work.add(threads.submit(() -> sendThroughAllNames(thread)));
      }
      for (Future<?> each : work) {
        each.get(SOON.toSeconds(), TimeUnit.SECONDS);
      }
    } finally {
      threads.shutdownNow();
    }

    assertThat(clients("pool-")).hasSize(10).doesNotHaveDuplicates();
    assertThat(factory.producers())
        .hasSize(10)
        .allSatisfy(
            each -> {
              assertThat(each.openHandles()).isZero();
              assertThat(each.inFlightRecords()).isZero();
            });
    assertThat(broker.read(broker.topic()).readAll()).hasSize(1000);
  }

  private void sendThroughAllNames(int thread) {
    List<CompletableFuture<?>> sent = new ArrayList<>();
    for (int name = 0; name < 10; name++) {
      try (MessageProducer<String> producer =
          factory.createProducer("pool-" + (thread + name) % 10, String.class)) {
        sent.add(producer.send("key", "value"));
      }
    }
    CompletableFuture.allOf(sent.toArray(CompletableFuture[]::new)).join();
  }

  @Test
  void aNameThatIsIdleIsClosedAndMadeAgain() {
    MessageProducer<String> first = factory.createProducer("brief", String.class);
    first.send("a", "1").join();
    first.close();
    first.close();

    await().atMost(SOON).until(() -> factory.producers().isEmpty());
    BrokerFixture.awaitNoThread(clientThread("brief"));
    assertThat(registry.find("millrace.producer.records").meters()).isEmpty();

    try (MessageProducer<String> second = factory.createProducer("brief", String.class)) {
      second.send("a", "2").join();
      assertThat(registry.get("millrace.producer.handles").gauge().value()).isEqualTo(1);
    }
    assertThat(values()).containsExactly("1", "2");
  }

  @Test
  void aNameWithAHandleOrWithRecordsOnTheirWayStays() {
    MessageProducer<String> held = factory.createProducer("held", String.class);
    factory.createProducer("held", String.class).close();
    MessageProducer<String> unsent = factory.createProducer("unsent", String.class);
    CompletableFuture<?> waiting = unsent.send("a", "unsent");
    unsent.close();
    factory.createProducer("kept", String.class).close();

    // The same timer looks at these in turn: when it has closed this one, it has seen the others.
    factory.createProducer("brief", String.class).close();
    await().atMost(SOON).until(() -> clients("brief").isEmpty());

    assertThat(factory.producers())
        .extracting(ProducerStatistics::name)
        .contains("held", "unsent", "kept");
    assertThat(waiting).isNotDone();
    held.send("a", "held").join();
    factory.createProducer("unsent", String.class).flush();
    assertThat(values()).containsExactly("held", "unsent");
  }

  @Test
  void statisticsSayWhatIsInUseAndOnItsWay() {
    assertThat(factory.producers()).isEmpty();
    Instant before = Instant.now();
    MessageProducer<String> first = factory.createProducer("unsent", String.class);
    MessageProducer<String> second = factory.createProducer("unsent", String.class);
    factory.createProducer("kept", String.class).close();
    var unused = first.send("key", "value");
    unused = second.send("key", "value");

    assertThat(factory.producers())
        .extracting(ProducerStatistics::name)
        .containsExactly("kept", "unsent");
    ProducerStatistics kept = factory.producers().get(0);
    assertThat(kept.inUse()).isFalse();
    assertThat(kept.since()).isBetween(before, Instant.now());
    ProducerStatistics used = factory.producers().get(1);
    assertThat(used)
        .isEqualTo(
            new ProducerStatistics("unsent", 1, 2, used.since(), 2, 2L * "keyvalue".length(), 0));
    assertThat(used.inUse()).isTrue();
    assertThat(used.since()).isBetween(before, Instant.now());
    assertThat(gauge("handles")).isEqualTo(2);
    assertThat(gauge("instances")).isEqualTo(1);
    assertThat(gauge("in.flight")).isEqualTo(2);
    assertThat(gauge("in.flight.bytes")).isEqualTo(16);

    first.flush();
    assertThat(gauge("in.flight")).isZero();
    assertThat(factory.producers().get(1).inFlightBytes()).isZero();
  }

  private double gauge(String name) {
    return registry.get("millrace.producer." + name).tag("producer", "unsent").gauge().value();
  }

  private List<String> values() {
    return broker.read(broker.topic()).readAll().stream()
        .map(record -> new String(record.value(), UTF_8))
        .toList();
  }

  private static String clientThread(String clientId) {
    return "kafka-producer-network-thread | " + clientId;
  }

  private static List<String> clients(String clientId) {
    return BrokerFixture.threads(clientThread(clientId));
  }
}
