package dev.millrace.testkit.probe;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.testkit.Clients;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

@KafkaTest
class ProbesTest {
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final Duration SHORT = Duration.ofMillis(200);

  private final KafkaCluster kafka;
  private final TestTopics topics;

  ProbesTest(KafkaCluster kafka, TestTopics topics) {
    this.kafka = kafka;
    this.topics = topics;
  }

  @Test
  void readsEverythingByPartitionAndOffset() throws Exception {
    String topic = topics.create("all", 2);
    send(topic, 1, "c");
    send(topic, 0, "a", "b");

    assertThat(values(TopicProbe.of(kafka.bootstrapServers(), topic).readAll()))
        .containsExactly("a", "b", "c");
  }

  @Test
  void seesAbortedRecordsOnlyWhenAsked() throws Exception {
    String topic = topics.create("aborted", 1);
    sendInTransaction(topic, "aborted", false);
    sendInTransaction(topic, "kept", true);

    // The coordinator answers before the markers are in the log.
    assertThat(values(TopicProbe.of(kafka.bootstrapServers(), topic).awaitCount(1, LONG)))
        .containsExactly("kept");
    assertThat(
            values(
                TopicProbe.of(kafka.bootstrapServers(), topic, IsolationLevel.READ_UNCOMMITTED)
                    .readAll()))
        .containsExactly("aborted", "kept");
  }

  @Test
  void awaitsATopicThatComesLater() throws Exception {
    String topic = topics.name("later");
    TopicProbe probe = TopicProbe.of(kafka.bootstrapServers(), topic);
    assertThat(probe.readAll()).isEmpty();

    CompletableFuture<List<ConsumerRecord<byte[], byte[]>>> awaited =
        CompletableFuture.supplyAsync(() -> probe.awaitCount(3, LONG));
    topics.create("later", 1);
    send(topic, 0, "a", "b", "c");

    assertThat(values(awaited.join())).containsExactly("a", "b", "c");
  }

  @Test
  void saysHowManyRecordsThereAreInstead() throws Exception {
    String topic = topics.create("few", 2);
    send(topic, 1, "a");

    assertThatThrownBy(() -> TopicProbe.of(kafka.bootstrapServers(), topic).awaitCount(2, SHORT))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("holds 1 records and not 2")
        .hasMessageContaining("per partition {1=1}")
        .hasMessageContaining("ends {0=0, 1=1}");
  }

  @Test
  void showsWhatAGroupCommittedAndWhatIsLeft() throws Exception {
    String topic = topics.create("left", 2);
    send(topic, 0, "a", "b", "c");
    send(topic, 1, "d");
    GroupProbe probe = GroupProbe.of(kafka.bootstrapServers(), topics.groupId("reader"), topic);
    assertThat(probe.committed()).isEmpty();
    assertThat(probe.lag()).containsOnly(entry(topic, 0, 3), entry(topic, 1, 1));

    commit(topic, 0, 2);

    assertThat(probe.committed())
        .containsOnly(Map.entry(new TopicPartition(topic, 0), new OffsetAndMetadata(2)));
    assertThat(probe.lag()).containsOnly(entry(topic, 0, 1), entry(topic, 1, 1));
    assertThatThrownBy(() -> probe.awaitLagZero(SHORT))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining(topic + "-0=1")
        .hasMessageContaining("offset=2");

    commit(topic, 0, 3);
    commit(topic, 1, 1);
    probe.awaitLagZero(LONG);
  }

  @Test
  void aTransactionsMarkerIsNoLag() throws Exception {
    String topic = topics.create("marked", 1);
    sendInTransaction(topic, "a", true);
    sendInTransaction(topic, "b", false);
    GroupProbe probe = GroupProbe.of(kafka.bootstrapServers(), topics.groupId("reader"), topic);
    assertThat(probe.lag()).containsOnly(entry(topic, 0, 1));

    commit(topic, 0, 1);

    probe.awaitLagZero(LONG);
  }

  @Test
  void aMissingTopicIsNotReadToItsEnd() {
    GroupProbe probe =
        GroupProbe.of(kafka.bootstrapServers(), topics.groupId("g"), topics.name("missing"));

    assertThatThrownBy(() -> probe.awaitLagZero(SHORT)).isInstanceOf(AssertionError.class);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> GroupProbe.of(kafka.bootstrapServers(), "g"));
  }

  private void send(String topic, int partition, String... values) throws Exception {
    try (KafkaProducer<String, String> producer = Clients.producer(kafka, Map.of())) {
      for (String value : values) {
        producer.send(new ProducerRecord<>(topic, partition, null, value)).get();
      }
    }
  }

  private void sendInTransaction(String topic, String value, boolean commit) throws Exception {
    try (KafkaProducer<String, String> producer =
        Clients.producer(kafka, Map.of("transactional.id", topics.name("t")))) {
      producer.initTransactions();
      producer.beginTransaction();
      producer.send(new ProducerRecord<>(topic, value)).get();
      if (commit) {
        producer.commitTransaction();
      } else {
        producer.abortTransaction();
      }
    }
  }

  private void commit(String topic, int partition, long offset) {
    try (KafkaConsumer<String, String> consumer =
        Clients.consumer(kafka, Map.of("group.id", topics.groupId("reader")))) {
      consumer.commitSync(
          Map.of(new TopicPartition(topic, partition), new OffsetAndMetadata(offset)));
    }
  }

  private static Map.Entry<TopicPartition, Long> entry(String topic, int partition, long lag) {
    return Map.entry(new TopicPartition(topic, partition), lag);
  }

  private static List<String> values(List<ConsumerRecord<byte[], byte[]>> records) {
    return records.stream().map(r -> new String(r.value(), UTF_8)).toList();
  }
}
