package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millrace.errors.ProducerFullException;
import dev.millrace.producer.Message;
import dev.millrace.producer.MessageProducer;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A producer that has as much on its way as it may. Only a flush sends what lingers. */
@KafkaTest
class FullProducerTest {
  private static final String CONFIG =
      """
      kafka:
        common: { bootstrap-servers: "${BROKERS}" }
        defaults:
          producers: { properties: { linger.ms: 600000, delivery.timeout.ms: 700000 } }
        producers:
          fails: { topics: ["${TOPIC}"], max-in-flight-records: 2, when-full: fail }
          drops: { topics: ["${TOPIC}"], max-in-flight-bytes: 10B, when-full: drop }
          blocks: { topics: ["${TOPIC}"], max-in-flight-records: 1 }
          gives-up:
            topics: ["${TOPIC}"]
            max-in-flight-records: 1
            properties: { linger.ms: 600000, delivery.timeout.ms: 700000, max.block.ms: 300 }
      """;

  private final BrokerFixture broker;
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final KafkaFactory factory;

  FullProducerTest(KafkaCluster kafka, TestTopics topics) {
    broker = new BrokerFixture(kafka, topics);
    broker.create(1);
    factory = broker.factory(CONFIG, registry);
  }

  @AfterEach
  void close() {
    broker.close();
  }

  @Test
  void failsAtOnceWithTheNumbersAndGoesOnWhenThereIsRoom() {
    MessageProducer<String> producer = factory.createProducer("fails", String.class);
    var unused = producer.send("a", "1");
    unused = producer.send("a", "2");

    assertThatThrownBy(() -> producer.send("a", "3").join())
        .hasCauseInstanceOf(ProducerFullException.class)
        .hasMessageContainingAll(
            "'fails'", "2 records in flight, 0 of 2 free", "not sent", "max-in-flight-records");
    assertThat(counted("fails", "failed")).isEqualTo(1);

    producer.flush();
    unused = producer.send("a", "4");
    producer.flush();
    assertThat(values()).containsExactly("1", "2", "4");
  }

  @Test
  void dropsAndCountsWhatDoesNotFit() {
    MessageProducer<String> producer = factory.createProducer("drops", String.class);
    producer.sendAndForget(Message.of("a", "12345678")); // 9 bytes
    producer.sendAndForget(Message.of("a", "2")); // 2 more
    producer.sendAndForget(Message.of("a", ""));
    assertThatThrownBy(() -> producer.send("a", "2").join())
        .hasCauseInstanceOf(ProducerFullException.class)
        .hasMessageContaining("0 of 10");
    assertThatThrownBy(() -> producer.send("a", "1234567890").join())
        .hasCauseInstanceOf(RecordTooLargeException.class)
        .hasMessageContainingAll("11 bytes", "max-in-flight-bytes");

    assertThat(counted("drops", "dropped")).isEqualTo(2);
    assertThat(counted("drops", "failed")).isEqualTo(1);
    producer.flush();
    assertThat(values()).containsExactly("12345678", "");
  }

  @Test
  void aSendThatWaitsForTooLongFailsWithTheNumbers() {
    MessageProducer<String> producer = factory.createProducer("gives-up", String.class);
    CompletableFuture<RecordMetadata> first = producer.send("a", "1");

    assertThatThrownBy(() -> producer.send("a", "2").join())
        .hasCauseInstanceOf(ProducerFullException.class)
        .hasMessageContainingAll("waited for", "max.block.ms is 300", "0 of 1 free");

    assertThat(first).isNotDone();
    assertThat(factory.producers().get(0).waiting()).isZero();
  }

  @Test
  void sendsThatWaitGoOnInTheirOrderAndNoneIsLost() throws Exception {
    MessageProducer<String> producer = factory.createProducer("blocks", String.class);
    var unused = producer.send("a", "0");
    List<CompletableFuture<RecordMetadata>> waiting = new ArrayList<>();
    for (int i = 1; i <= 5; i++) {
      String value = Integer.toString(i);
      CompletableFuture<RecordMetadata> sent = new CompletableFuture<>();
      waiting.add(sent);
      Thread thread =
          new Thread(
              () -> {
                var unusedToo =
                    producer
                        .send("a", value)
                        .whenComplete(
                            (metadata, failure) -> {
                              if (failure == null) {
                                sent.complete(metadata);
                              } else {
                                sent.completeExceptionally(failure);
                              }
                            });
              });
      thread.start();
      int expected = i;
      await().atMost(SOON).until(() -> factory.producers().get(0).waiting() == expected);
    }
    assertThat(registry.get("millrace.producer.waiting").gauge().value()).isEqualTo(5);

    for (CompletableFuture<RecordMetadata> sent : waiting) {
      producer.flush(); // Ends the one on its way; the next one comes in.
      await()
          .atMost(SOON)
          .until(
              () -> {
                producer.flush();
                return sent.isDone();
              });
    }

    for (CompletableFuture<RecordMetadata> sent : waiting) {
      sent.get(1, TimeUnit.SECONDS);
    }
    assertThat(values()).containsExactly("0", "1", "2", "3", "4", "5");
    assertThat(factory.producers().get(0).inFlightRecords()).isZero();
  }

  private double counted(String producer, String outcome) {
    return registry
        .get("millrace.producer.records")
        .tags("producer", producer, "outcome", outcome)
        .counter()
        .count();
  }

  private List<String> values() {
    return broker.read(broker.topic()).readAll().stream()
        .map(record -> new String(record.value(), UTF_8))
        .toList();
  }
}
