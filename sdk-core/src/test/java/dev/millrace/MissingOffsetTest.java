package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.MessageConsumer;
import dev.millrace.errors.ConsumerFailedException;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Where a consumer begins without an offset, and goes on with one that the log does not have. */
@KafkaTest
class MissingOffsetTest {
  private final BrokerFixture broker;
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final Queue<String> handled = new ConcurrentLinkedQueue<>();

  MissingOffsetTest(KafkaCluster kafka, TestTopics topics) {
    broker = new BrokerFixture(kafka, topics);
  }

  @AfterEach
  void close() {
    broker.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"classic", "consumer"})
  void earliestBeginsAtTheBeginning(String protocol) {
    broker.create(1);
    broker.send("a", "first");

    consume("earliest", protocol);

    broker.awaitLagZero();
    assertThat(handled).containsExactly("first");
    assertThat(resets()).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"classic", "consumer"})
  void latestBeginsAtTheEndAndKeepsItWhileTheServiceIsDown(String protocol) {
    broker.create(1);
    broker.send("a", "before");
    consume("latest", protocol);
    await().atMost(SOON).until(() -> broker.committed(0) == 1);

    broker.send("a", "while it runs");
    await().atMost(SOON).until(() -> broker.committed(0) == 2);
    broker.closeFactories();
    broker.send("a", "while it is down");
    consume("latest", protocol);

    broker.awaitLagZero();
    assertThat(handled).containsExactly("while it runs", "while it is down");
  }

  @Test
  void byDurationBeginsAtTheFirstRecordThatIsNotOlder() {
    broker.create(1);
    long now = System.currentTimeMillis();
    sendAt(now - Duration.ofHours(3).toMillis(), "three hours old");
    sendAt(now - Duration.ofHours(1).toMillis(), "one hour old");
    sendAt(now, "new");

    consume("by-duration:2h", "classic");

    broker.awaitLagZero();
    assertThat(handled).containsExactlyInAnyOrder("one hour old", "new");
    assertThat(resets()).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"classic", "consumer"})
  void failStopsTheConsumer(String protocol) {
    broker.create(1);
    broker.send("a", "first");

    MessageConsumer consumer = consume("fail", protocol);

    assertThatThrownBy(() -> consumer.awaitClosed(SOON))
        .isInstanceOf(ConsumerFailedException.class)
        .hasMessageContaining("has no committed offset for [" + broker.partition(0) + "]");
    assertThat(handled).isEmpty();
    assertThat(broker.committed(0)).isEqualTo(-1);
  }

  @ParameterizedTest
  @CsvSource({"earliest, classic, 2", "earliest, consumer, 2", "latest, classic, 0"})
  void whatWasDeletedBeyondTheCommittedOffsetIsReported(
      String policy, String protocol, int stillRead) throws Exception {
    broker.create(1);
    broker.send("a", "0");
    consume("earliest", protocol);
    await().atMost(SOON).until(() -> broker.committed(0) == 1);
    broker.closeFactories();
    handled.clear();
    for (int i = 1; i < 5; i++) {
      broker.send("a", Integer.toString(i));
    }
    broker
        .kafka()
        .admin()
        .deleteRecords(Map.of(broker.partition(0), RecordsToDelete.beforeOffset(3)))
        .all()
        .get(30, TimeUnit.SECONDS);

    consume(policy, protocol);

    broker.awaitLagZero();
    assertThat(resets()).isEqualTo(1);
    assertThat(handled).hasSize(stillRead);
  }

  @Test
  void failStopsBeforeWhatWasDeleted() throws Exception {
    broker.create(1);
    for (int i = 0; i < 5; i++) {
      broker.send("a", Integer.toString(i));
    }
    commit(1);
    broker
        .kafka()
        .admin()
        .deleteRecords(Map.of(broker.partition(0), RecordsToDelete.beforeOffset(3)))
        .all()
        .get(30, TimeUnit.SECONDS);

    MessageConsumer consumer = consume("fail", "classic");

    assertThatThrownBy(() -> consumer.awaitClosed(SOON))
        .isInstanceOf(ConsumerFailedException.class)
        .hasMessageContaining(
            "can't go on at offset 1 of " + broker.partition(0) + ": its log begins at 3");
    assertThat(handled).isEmpty();
    assertThat(broker.committed(0)).isEqualTo(1);
  }

  /** A tool has carried the offset over, or the log was wiped: it ends below the offset. */
  @ParameterizedTest
  @ValueSource(strings = {"classic", "consumer"})
  void anOffsetBeyondTheLogIsReportedToo(String protocol) throws Exception {
    broker.create(1);
    broker.send("a", "first");
    commit(100);

    consume("earliest", protocol);

    broker.awaitLagZero();
    await().atMost(SOON).until(() -> broker.committed(0) == 1);
    assertThat(handled).containsExactly("first");
    assertThat(resets()).isEqualTo(1);
  }

  /** While the consumer runs, and stands beyond what the new topic has. */
  @ParameterizedTest
  @ValueSource(strings = {"classic", "consumer"})
  void aTopicMadeAnewIsReadFromItsBeginning(String protocol) {
    broker.create(1);
    for (int i = 0; i < 5; i++) {
      broker.send("a", "old " + i);
    }
    consume("earliest", protocol);
    await().atMost(SOON).until(() -> broker.committed(0) == 5);

    broker.kafka().deleteTopic(broker.topic());
    broker.create(1);
    broker.send("a", "new 0");
    broker.send("a", "new 1");

    await().atMost(SOON).until(() -> handled.contains("new 0") && handled.contains("new 1"));
    await().atMost(SOON).until(() -> broker.committed(0) == 2);
  }

  private MessageConsumer consume(String policy, String protocol) {
    return broker
        .factory(
            """
            kafka:
              common: { bootstrap-servers: "${BROKERS}" }
              consumers:
                missing-offset:
                  topics: ["${TOPIC}"]
                  group-id: ${GROUP}
                  on-missing-offset: %s
                  properties:
                    group.protocol: %s
                    metadata.max.age.ms: 500
            """
                .formatted(policy, protocol),
            registry)
        .createConsumer("missing-offset", String.class)
        .subscribe((value, context) -> handled.add(value));
  }

  private void sendAt(long timestamp, String value) {
    broker.send(new ProducerRecord<>(broker.topic(), 0, timestamp, null, value.getBytes(UTF_8)));
  }

  private void commit(long offset) throws Exception {
    broker
        .kafka()
        .admin()
        .alterConsumerGroupOffsets(
            broker.group(), Map.of(broker.partition(0), new OffsetAndMetadata(offset)))
        .all()
        .get(30, TimeUnit.SECONDS);
  }

  private double resets() {
    return registry.get("millrace.consumer.offset.resets").counter().count();
  }
}
