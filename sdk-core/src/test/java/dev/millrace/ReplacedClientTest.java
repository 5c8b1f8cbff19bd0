package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millrace.producer.Message;
import dev.millrace.producer.MessageProducer;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.producer.Partitioner;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.Cluster;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A real client that can't go on, and the one in its place. */
@KafkaTest
class ReplacedClientTest {
  private static final String CONFIG =
      """
      kafka:
        common: { bootstrap-servers: "${BROKERS}" }
        producers:
          broken:
            topics: ["${TOPIC}"]
            properties:
              partitioner.class: dev.millrace.ReplacedClientTest$Breaking
              linger.ms: 600000
              delivery.timeout.ms: 700000
      """;

  /** What a partitioner throws of Kafka's own errors, the client takes for its own state. */
  public static final class Breaking implements Partitioner {
    @Override
    public int partition(
        String topic,
        Object key,
        byte[] keyBytes,
        Object value,
        byte[] valueBytes,
        Cluster cluster) {
      if (new String(keyBytes, UTF_8).equals("break")) {
        throw new ProducerFencedException("as a broker would say");
      }
      return 0;
    }

    @Override
    public void configure(Map<String, ?> settings) {}

    @Override
    public void close() {}
  }

  private final BrokerFixture broker;
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final KafkaFactory factory;
  private final MessageProducer<String> producer;

  ReplacedClientTest(KafkaCluster kafka, TestTopics topics) {
    broker = new BrokerFixture(kafka, topics);
    broker.create(1);
    factory = broker.factory(CONFIG, registry);
    producer = factory.createProducer("broken", String.class);
  }

  @AfterEach
  void close() {
    broker.close();
  }

  @Test
  void whatItHadHasFailedAndTheNextOneGoesOn() {
    CompletableFuture<RecordMetadata> written = producer.send("a", "before");
    producer.flush();
    assertThat(written).isCompleted();
    CompletableFuture<RecordMetadata> waiting = producer.send("a", "lost");

    assertThatThrownBy(() -> producer.send("break", "x").join())
        .hasCauseInstanceOf(ProducerFencedException.class);
    // What comes too early fails at once, and is sent again.
    await()
        .atMost(SOON)
        .until(
            () -> {
              CompletableFuture<RecordMetadata> again = producer.send("a", "after");
              producer.flush();
              return !again.isCompletedExceptionally();
            });

    assertThat(waiting).isCompletedExceptionally();
    assertThat(values()).containsExactly("before", "after");
    assertThat(registry.get("millrace.producer.replacements").counter().count()).isEqualTo(1);
    assertThat(factory.producers().get(0).inFlightRecords()).isZero();
    BrokerFixture.awaitNoThread("millrace-broken-replacing");
    assertThat(BrokerFixture.threads("kafka-producer-network-thread | broken")).hasSize(1);
  }

  @Test
  void aRecordThatComesTooEarlyIsToldThatItWasNotSent() {
    var unused = producer.send("break", "x");

    assertThatThrownBy(() -> producer.send("a", "early").join())
        .hasMessageContainingAll("'broken'", "was not sent", "send it again");

    factory.close();
    BrokerFixture.awaitNoThread("millrace-broken", "kafka-producer-network-thread | broken");
    assertThat(values()).isEmpty();
    assertThat(registry.getMeters()).isEmpty();
  }

  @Test
  void anErrorOfTheRecordAloneReplacesNothing() {
    String tooLarge = "x".repeat(2_000_000);
    assertThatThrownBy(() -> producer.send(Message.of("a", tooLarge)).join());

    var unused = producer.send("a", "1");
    producer.flush();

    assertThat(values()).containsExactly("1");
    assertThat(registry.get("millrace.producer.replacements").counter().count()).isZero();
  }

  private List<String> values() {
    return broker.read(broker.topic()).readAll().stream()
        .map(record -> new String(record.value(), UTF_8))
        .toList();
  }
}
