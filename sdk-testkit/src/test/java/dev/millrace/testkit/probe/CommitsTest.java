package dev.millrace.testkit.probe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millrace.testkit.Clients;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

/** What the probes see of commits and transactions. */
@KafkaTest
class CommitsTest {
  private static final Duration LONG = Duration.ofSeconds(60);

  private final KafkaCluster kafka;
  private final TestTopics topics;

  CommitsTest(KafkaCluster kafka, TestTopics topics) {
    this.kafka = kafka;
    this.topics = topics;
  }

  @Test
  void showsEachCommitInBrokerOrderAndNoOtherGroups() {
    String topic = topics.create("orders", 2);
    String group = topics.groupId("g");
    assertThat(probe(group, topic).commits()).isEmpty();
    long before = System.currentTimeMillis();
    commit(group, topic, 0, new OffsetAndMetadata(3, Optional.of(4), "state"));
    commit(topics.groupId("other"), topic, 0, new OffsetAndMetadata(9));
    commit(group, topic, 1, new OffsetAndMetadata(5));
    commit(group, topic, 0, new OffsetAndMetadata(2));
    long after = System.currentTimeMillis();

    List<Commit> commits = probe(group, topic).commits();

    assertThat(commits).extracting(Commit::offset).containsExactly(3L, 5L, 2L);
    assertThat(commits).extracting(c -> c.partition().partition()).containsExactly(0, 1, 0);
    assertThat(commits).isSortedAccordingTo((a, b) -> Long.compare(a.place(), b.place()));
    assertThat(commits).allMatch(c -> before <= c.timestamp() && c.timestamp() <= after);
    assertThat(commits).allMatch(c -> c.effectivePlace() == c.place() && !c.transactional());
    assertThat(commits.get(0).leaderEpoch()).isEqualTo(4);
    assertThat(commits.get(0).metadata()).isEqualTo("state");
    assertThat(commits.get(1).leaderEpoch()).isEqualTo(-1);
  }

  @Test
  void showsWhenAnOffsetIsRemoved() throws Exception {
    String topic = topics.create("orders", 1);
    String group = topics.groupId("g");
    commit(group, topic, 0, new OffsetAndMetadata(3));
    kafka
        .admin()
        .deleteConsumerGroupOffsets(group, Set.of(new TopicPartition(topic, 0)))
        .all()
        .get();

    assertThat(probe(group, topic).commits())
        .extracting(Commit::tombstone)
        .containsExactly(false, true);
  }

  @Test
  void tellsWhatBecameOfTransactions() throws Exception {
    String topic = topics.create("orders", 1);
    TopicPartition partition = new TopicPartition(topic, 0);
    String group = topics.groupId("g");
    TopicProbe probe = TopicProbe.of(kafka.bootstrapServers(), topic);
    try (KafkaProducer<String, String> ends = transactional("ends");
        KafkaProducer<String, String> hangs = transactional("hangs")) {
      begin(hangs, group, partition, 1);
      begin(ends, group, partition, 2);
      ends.abortTransaction();
      commit(group, topic, 0, new OffsetAndMetadata(3));
      begin(ends, group, partition, 4);
      ends.commitTransaction();

      // The coordinator answers before the markers are in the log.
      List<Commit> commits =
          await()
              .atMost(LONG)
              .until(
                  () -> probe(group, topic).commits(),
                  all -> all.get(all.size() - 1).effectivePlace() >= 0);
      assertThat(commits).extracting(Commit::offset).containsExactly(1L, 2L, 3L, 4L);
      assertThat(commits)
          .extracting(Commit::state)
          .containsExactly(
              Commit.State.PENDING,
              Commit.State.ABORTED,
              Commit.State.COMMITTED, // though it lies behind the open one
              Commit.State.COMMITTED);
      assertThat(commits)
          .extracting(Commit::transactional)
          .containsExactly(true, true, false, true);
      assertThat(commits.get(1).producerId()).isEqualTo(commits.get(3).producerId());
      assertThat(commits.get(0).producerId()).isNotEqualTo(commits.get(1).producerId());
      assertThat(commits).extracting(c -> c.effectivePlace() < 0).startsWith(true, true, false);
      assertThat(commits.get(3).effectivePlace()).isGreaterThan(commits.get(3).place());
      assertThat(commits.get(3).effectiveTimestamp())
          .isGreaterThanOrEqualTo(commits.get(3).timestamp());
      assertThat(commits)
          .extracting(c -> c.effectiveTimestamp() < 0)
          .containsExactly(true, true, false, false);

      // The other one is open to its coordinator until that has heard of all its markers.
      List<OpenTransaction> open =
          await().atMost(LONG).until(probe::openTransactions, all -> all.size() == 1);
      assertThat(open.get(0).transactionalId()).isEqualTo(topics.name("hangs"));
      assertThat(open.get(0).producerId()).isEqualTo(commits.get(0).producerId());
      assertThat(open.get(0).state()).isEqualTo(TransactionState.ONGOING);
      assertThat(open.get(0).partitions()).contains(partition);
      Offsets offsets = probe.offsets().get(partition);
      assertThat(offsets.begin()).isZero();
      assertThat(offsets.lastStable()).isZero();
      assertThat(offsets.end()).isGreaterThan(2);

      hangs.abortTransaction();
      await().atMost(LONG).untilAsserted(() -> assertThat(probe.openTransactions()).isEmpty());
      Offsets after = probe.offsets().get(partition);
      assertThat(after.lastStable()).isEqualTo(after.end());
    }
  }

  @Test
  void awaitsCommitsAndRecordsAndSaysWhatThereIsInstead() throws Exception {
    String topic = topics.create("orders", 1);
    String group = topics.groupId("g");
    TopicPartition partition = new TopicPartition(topic, 0);
    commit(group, topic, 0, new OffsetAndMetadata(3));

    assertThat(
            probe(group, topic)
                .awaitCommitted("something", c -> c.containsKey(partition), LONG)
                .get(partition)
                .offset())
        .isEqualTo(3);
    assertThatThrownBy(
            () -> probe(group, topic).awaitCommitted("more", c -> c.size() > 1, Duration.ZERO))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("has not committed more after PT0S")
        .hasMessageContaining("offset=3");

    TopicProbe orders = TopicProbe.of(kafka.bootstrapServers(), topic);
    assertThatThrownBy(() -> orders.await("an order", r -> !r.isEmpty(), Duration.ZERO))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("does not hold an order after PT0S");
    try (KafkaProducer<String, String> producer = Clients.producer(kafka, Map.of())) {
      producer.send(new ProducerRecord<>(topic, "v")).get();
    }
    assertThat(orders.await("an order", records -> !records.isEmpty(), LONG)).hasSize(1);
  }

  @Test
  void connectsAsTheUsersPropertiesSay() {
    String topic = topics.create("orders", 1);
    String group = topics.groupId("g");
    commit(group, topic, 0, new OffsetAndMetadata(3));
    Map<String, Object> properties =
        Map.of(
            "bootstrap.servers", kafka.bootstrapServers(),
            "security.protocol", "PLAINTEXT",
            "client.id", "probe-under-test");
    GroupProbe probe = GroupProbe.of(properties, group, topic);
    TopicProbe records = TopicProbe.of(properties, topic, IsolationLevel.READ_UNCOMMITTED);

    assertThat(probe.commits()).hasSize(1);
    assertThat(probe.lag()).hasSize(1);
    assertThat(records.offsets()).hasSize(1);
    assertThat(records.readAll()).isEmpty();
    // A setting that cannot work arrives in each of the clients.
    Map<String, Object> wrong =
        Map.of("bootstrap.servers", kafka.bootstrapServers(), "security.protocol", "NONE");
    assertThatThrownBy(() -> GroupProbe.of(wrong, group, topic).commits())
        .hasStackTraceContaining("security.protocol");
    assertThatThrownBy(() -> GroupProbe.of(wrong, group, topic).lag())
        .hasStackTraceContaining("security.protocol");
    assertThatThrownBy(() -> TopicProbe.of(wrong, topic, IsolationLevel.READ_COMMITTED).readAll())
        .hasStackTraceContaining("security.protocol");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> GroupProbe.of(Map.of("client.id", "x"), group, topic))
        .withMessageContaining("bootstrap.servers");
  }

  @Test
  void leavesNoThreadWhenOneOfItsClientsCannotBeMade() {
    Map<String, Object> properties =
        Map.of(
            "bootstrap.servers", kafka.bootstrapServers(),
            "client.id", "half-made",
            "max.poll.records", "none"); // which an Admin does not look at

    assertThatThrownBy(() -> GroupProbe.of(properties, topics.groupId("g"), "any").committed())
        .hasStackTraceContaining("max.poll.records");

    assertThat(Thread.getAllStackTraces().keySet())
        .noneMatch(thread -> thread.getName().contains("half-made"));
  }

  private KafkaProducer<String, String> transactional(String name) {
    KafkaProducer<String, String> producer =
        Clients.producer(kafka, Map.of("transactional.id", topics.name(name)));
    producer.initTransactions();
    return producer;
  }

  private void begin(
      KafkaProducer<String, String> producer, String group, TopicPartition partition, long offset)
      throws Exception {
    producer.beginTransaction();
    producer.send(new ProducerRecord<>(partition.topic(), "v")).get();
    try (KafkaConsumer<String, String> consumer =
        Clients.consumer(kafka, Map.of("group.id", group))) {
      producer.sendOffsetsToTransaction(
          Map.of(partition, new OffsetAndMetadata(offset)), consumer.groupMetadata());
    }
  }

  private void commit(String group, String topic, int partition, OffsetAndMetadata offset) {
    try (KafkaConsumer<String, String> consumer =
        Clients.consumer(kafka, Map.of("group.id", group))) {
      consumer.commitSync(Map.of(new TopicPartition(topic, partition), offset));
    }
  }

  private GroupProbe probe(String group, String topic) {
    return GroupProbe.of(kafka.bootstrapServers(), group, topic);
  }
}
