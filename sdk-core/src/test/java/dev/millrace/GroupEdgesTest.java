package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.ConsumerState;
import dev.millrace.consumer.MessageConsumer;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Members and partitions that a group did not expect, under both group protocols. */
@KafkaTest
class GroupEdgesTest {
  private final BrokerFixture broker;
  private final Queue<String> handled = new ConcurrentLinkedQueue<>();

  GroupEdgesTest(KafkaCluster kafka, TestTopics topics) {
    broker = new BrokerFixture(kafka, topics);
  }

  @AfterEach
  void close() {
    broker.close();
  }

  /** A classic group believes the newer one, a KIP-848 group the older. */
  @ParameterizedTest
  @CsvSource({"classic, 0", "consumer, 1"})
  void ofTwoMembersWithOneNameOneFails(String protocol, int failing) {
    broker.create(1);
    MessageConsumer earlier = join("earlier", protocol, "group-instance-id: me");
    await().atMost(SOON).until(() -> earlier.assignment().size() == 1);
    MessageConsumer later = join("later", protocol, "group-instance-id: me");

    MessageConsumer failed = failing == 0 ? earlier : later;
    await().atMost(SOON).until(() -> failed.state() == ConsumerState.FAILED);

    MessageConsumer working = failing == 0 ? later : earlier;
    await().atMost(SOON).until(() -> working.assignment().size() == 1);
    broker.send("k", "handled");
    await().atMost(SOON).until(() -> handled.contains("handled"));
    assertThat(working.state()).isEqualTo(ConsumerState.RUNNING);
  }

  /** The first record may be there before any member knows of the partition. */
  @ParameterizedTest
  @ValueSource(strings = {"classic", "consumer"})
  void aPartitionThatIsAddedIsReadFromItsStart(String protocol) throws Exception {
    broker.create(1);
    MessageConsumer consumer =
        join("reader", protocol, "properties: { metadata.max.age.ms: 3000 }");
    await().atMost(SOON).until(() -> consumer.assignment().size() == 1);

    broker
        .kafka()
        .admin()
        .createPartitions(Map.of(broker.topic(), NewPartitions.increaseTo(2)))
        .all()
        .get();
    broker.send(new ProducerRecord<>(broker.topic(), 1, null, "first".getBytes(UTF_8)));

    await().atMost(SOON).until(() -> handled.contains("first"));
    assertThat(consumer.assignment()).hasSize(2);
  }

  /** As all replicas meet it: nobody has an offset of the new partition. */
  @ParameterizedTest
  @ValueSource(strings = {"classic", "consumer"})
  void anAddedPartitionIsNoMissingOffsetToFailFor(String protocol) throws Exception {
    broker.create(1);
    MessageConsumer earlier = join("earlier", protocol, "");
    broker.send("k", "before");
    await().atMost(SOON).until(() -> handled.contains("before"));
    earlier.close();
    MessageConsumer consumer =
        join(
            "reader",
            protocol,
            "on-missing-offset: fail\n      properties: { metadata.max.age.ms: 3000 }");
    await().atMost(SOON).until(() -> consumer.assignment().size() == 1);

    broker
        .kafka()
        .admin()
        .createPartitions(Map.of(broker.topic(), NewPartitions.increaseTo(2)))
        .all()
        .get();
    broker.send(new ProducerRecord<>(broker.topic(), 1, null, "first".getBytes(UTF_8)));

    await()
        .atMost(SOON)
        .until(() -> handled.contains("first") || consumer.state() == ConsumerState.FAILED);
    assertThat(consumer.state()).isEqualTo(ConsumerState.RUNNING);
  }

  /** Under a pattern, topics are added as partitions are. */
  @ParameterizedTest
  @ValueSource(strings = {"classic", "consumer"})
  void anAddedTopicOfAPatternIsNoMissingOffsetToFailFor(String protocol) throws Exception {
    broker.create(1);
    MessageConsumer earlier = join("earlier", protocol, "");
    broker.send("k", "before");
    await().atMost(SOON).until(() -> handled.contains("before"));
    earlier.close();
    String added = broker.topic().replaceFirst("source", "added");
    MessageConsumer consumer =
        broker
            .factory(
                """
                kafka:
                  common: { bootstrap-servers: "${BROKERS}" }
                  consumers:
                    reader:
                      topics-pattern: "%s|${TOPIC}"
                      group-id: ${GROUP}
                      group-protocol: %s
                      on-missing-offset: fail
                      properties: { metadata.max.age.ms: 3000 }
                """
                    .formatted(added, protocol))
            .createConsumer("reader", String.class)
            .subscribe((value, context) -> handled.add(value));
    await().atMost(SOON).until(() -> consumer.assignment().size() == 1);

    broker.kafka().createTopic(added, 1);
    broker.send(new ProducerRecord<>(added, null, "first".getBytes(UTF_8)));

    await()
        .atMost(SOON)
        .until(() -> handled.contains("first") || consumer.state() == ConsumerState.FAILED);
    assertThat(consumer.state()).isEqualTo(ConsumerState.RUNNING);
  }

  private MessageConsumer join(String name, String protocol, String more) {
    return broker
        .factory(
            """
            kafka:
              common: { bootstrap-servers: "${BROKERS}" }
              consumers:
                %s:
                  topics: ["${TOPIC}"]
                  group-id: ${GROUP}
                  group-protocol: %s
                  %s
            """
                .formatted(name, protocol, more))
        .createConsumer(name, String.class)
        .subscribe((value, context) -> handled.add(value));
  }
}
