package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.ConsumerListener;
import dev.millrace.consumer.MessageConsumer;
import dev.millrace.consumer.PreparedConsumer;
import dev.millrace.errors.InvalidDefinitionException;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Partitions that the definition names: no membership, but the group's offsets all the same. */
@KafkaTest
class FixedPartitionsTest {
  private final BrokerFixture broker;
  private final Queue<String> handled = new ConcurrentLinkedQueue<>();

  FixedPartitionsTest(KafkaCluster kafka, TestTopics topics) {
    broker = new BrokerFixture(kafka, topics);
  }

  @AfterEach
  void close() {
    broker.close();
  }

  @Test
  void readsItsPartitionsOnlyAndIsNoMemberOfItsGroup() throws Exception {
    broker.create(3);
    send(0, "zero");
    send(1, "not mine");
    send(2, "two");
    Queue<Set<TopicPartition>> assigned = new ConcurrentLinkedQueue<>();

    MessageConsumer consumer =
        prepared("${TOPIC}-0, ${TOPIC}-2")
            .listener(
                new ConsumerListener() {
                  @Override
                  public void assigned(Set<TopicPartition> partitions) {
                    assigned.add(partitions);
                  }
                })
            .subscribe((value, context) -> handled.add(value));

    await().atMost(SOON).until(() -> broker.committed(0) == 1 && broker.committed(2) == 1);
    assertThat(handled).containsExactlyInAnyOrder("zero", "two");
    assertThat(broker.committed(1)).isEqualTo(-1);
    Set<TopicPartition> mine = Set.of(broker.partition(0), broker.partition(2));
    assertThat(consumer.assignment()).isEqualTo(mine);
    assertThat(assigned).containsExactly(mine);
    assertThat(group().members()).isEmpty();
  }

  /** Also what was done beyond the committed offset is read back, and not done again. */
  @Test
  void goesOnAfterARestartWhereItStood() throws Exception {
    broker.create(1);
    IntStream.range(0, 10).forEach(n -> send(0, "before " + n));
    CountDownLatch stuck = new CountDownLatch(1);
    prepared("${TOPIC}-0")
        .subscribe(
            (value, context) -> {
              if (value.equals("before 3")) {
                stuck.countDown();
                BrokerFixture.hold(new CountDownLatch(1)); // Until the close interrupts it.
              }
              handled.add(value);
            });
    BrokerFixture.hold(stuck);
    await().atMost(SOON).until(() -> handled.size() == 9);
    broker.closeFactories();
    assertThat(broker.committed(0)).isEqualTo(3);
    send(0, "after");
    handled.clear();

    prepared("${TOPIC}-0").subscribe((value, context) -> handled.add(value));

    await().atMost(SOON).until(() -> broker.committed(0) == 11);
    assertThat(handled).containsExactlyInAnyOrder("before 3", "after");
  }

  @Test
  void pausesAndSeeksAsAnyOther() {
    broker.create(2);
    send(0, "first");
    MessageConsumer consumer =
        prepared("${TOPIC}-0").subscribe((value, context) -> handled.add(value));
    await().atMost(SOON).until(() -> broker.committed(0) == 1);

    consumer.seekToBeginning(List.of(broker.partition(0))).join();

    await().atMost(SOON).untilAsserted(() -> assertThat(handled).containsExactly("first", "first"));
    assertThatThrownBy(() -> consumer.pause(List.of(broker.partition(1))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Consumer 'fixed' does not read [%s]; its topics are [%s]."
                .formatted(broker.partition(1), broker.partition(0)));
  }

  @Test
  void aPartitionOrTopicThatIsNotThereIsAnErrorThatLeavesNothing() {
    broker.create(2);
    PreparedConsumer<String> tooFar = prepared("${TOPIC}-0, ${TOPIC}-2");
    assertThatThrownBy(() -> tooFar.subscribe((value, context) -> {}))
        .isInstanceOf(InvalidDefinitionException.class)
        .hasMessage(
            "Consumer 'fixed' is to read partition %s, but the brokers have 2 partitions of that topic, from 0 to 1; correct 'partitions', or create what is missing."
                .formatted(broker.partition(2)));

    PreparedConsumer<String> nowhere = prepared("${TOPIC}.x-0");
    assertThatThrownBy(() -> nowhere.subscribe((value, context) -> {}))
        .isInstanceOf(InvalidDefinitionException.class)
        .hasMessageContaining("but the brokers show no topic '" + broker.topic() + ".x'");
    assertThat(broker.kafka().topicNames())
        .as("dead-letter topics")
        .noneMatch(name -> name.startsWith(broker.topic() + "."));
    assertThat(BrokerFixture.threads("millrace-fixed-")).isEmpty();
  }

  private PreparedConsumer<String> prepared(String partitions) {
    return broker
        .factory(
            """
            kafka:
              common: { bootstrap-servers: "${BROKERS}" }
              consumers:
                fixed:
                  partitions: "%s"
                  group-id: ${GROUP}
                  dead-letter: {}
                  close-timeout: 2s
            """
                .formatted(partitions))
        .createConsumer("fixed", String.class);
  }

  private ConsumerGroupDescription group() throws Exception {
    return broker
        .kafka()
        .admin()
        .describeConsumerGroups(List.of(broker.group()))
        .describedGroups()
        .get(broker.group())
        .get(30, TimeUnit.SECONDS);
  }

  private void send(int partition, String value) {
    broker.send(new ProducerRecord<>(broker.topic(), partition, null, value.getBytes(UTF_8)));
  }
}
