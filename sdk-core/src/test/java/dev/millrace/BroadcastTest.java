package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.MessageConsumer;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import dev.millrace.testkit.probe.GroupProbe;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every process gets every record. */
@KafkaTest
class BroadcastTest {
  private final BrokerFixture broker;

  BroadcastTest(KafkaCluster kafka, TestTopics topics) {
    broker = new BrokerFixture(kafka, topics);
  }

  @AfterEach
  void close() {
    broker.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"classic", "consumer"})
  void eachOfTwoProcessesGetsAllThatComes(String protocol) {
    broker.create(3);
    broker.send("key", "before");
    Queue<String> one = new ConcurrentLinkedQueue<>();
    Queue<String> two = new ConcurrentLinkedQueue<>();
    MessageConsumer first = start("group-protocol: " + protocol, one);
    MessageConsumer second = start("group-protocol: " + protocol, two);
    awaitStanding(2);

    IntStream.range(0, 20).forEach(n -> broker.send("key-" + n, Integer.toString(n)));

    await().atMost(SOON).until(() -> one.size() >= 20 && two.size() >= 20);
    assertThat(first.assignment()).hasSize(3).isEqualTo(second.assignment());
    String[] all = IntStream.range(0, 20).mapToObj(Integer::toString).toArray(String[]::new);
    assertThat(one).containsExactlyInAnyOrder(all);
    assertThat(two).containsExactlyInAnyOrder(all);
  }

  @ParameterizedTest
  @ValueSource(strings = {"classic", "consumer"})
  void withoutANameItsGroupEndsWithIt(String protocol) {
    broker.create(1);
    MessageConsumer consumer = start("group-protocol: " + protocol, new ConcurrentLinkedQueue<>());
    awaitStanding(1);

    consumer.close();

    await().atMost(SOON).untilAsserted(() -> assertThat(groups()).isEmpty());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "group-instance-id: orders-3"})
  void itsInstancesShareOneGroup(String name) throws Exception {
    broker.create(3);
    Queue<String> handled = new ConcurrentLinkedQueue<>();
    start("instances: 3\n" + name, handled);
    awaitStanding(1);

    IntStream.range(0, 20).forEach(n -> broker.send("key-" + n, Integer.toString(n)));

    await().atMost(SOON).until(() -> handled.size() >= 20);
    assertThat(handled).doesNotHaveDuplicates();
  }

  @ParameterizedTest
  @ValueSource(strings = {"classic", "consumer"})
  void withANameItGoesOnWhereItStood(String protocol) throws Exception {
    broker.create(1);
    String named = "group-protocol: " + protocol + "\ngroup-instance-id: orders-3";
    MessageConsumer before = start(named, new ConcurrentLinkedQueue<>());
    awaitStanding(1);
    assertThat(groups()).containsExactly(broker.group() + ".orders-3");
    before.close();
    broker.closeFactories();
    broker.send("key", "while it is down");
    Queue<String> handled = new ConcurrentLinkedQueue<>();

    start(named, handled);

    await().atMost(SOON).until(() -> handled.contains("while it is down"));
  }

  /** Where they begin is committed at once: from then on nothing passes them by. */
  private void awaitStanding(int processes) {
    await()
        .atMost(SOON)
        .untilAsserted(
            () -> {
              List<String> groups = groups();
              assertThat(groups).hasSize(processes);
              for (String group : groups) {
                assertThat(
                        GroupProbe.of(broker.kafka().bootstrapServers(), group, broker.topic())
                            .committed()
                            .values())
                    .isNotEmpty()
                    .doesNotContainNull()
                    .hasSize(broker.read(broker.topic()).offsets().size())
                    .hasOnlyElementsOfType(OffsetAndMetadata.class);
              }
            });
  }

  private List<String> groups() throws Exception {
    return broker.kafka().admin().listGroups().all().get(30, TimeUnit.SECONDS).stream()
        .map(GroupListing::groupId)
        .filter(group -> group.startsWith(broker.group()))
        .toList();
  }

  private MessageConsumer start(String more, Queue<String> handled) {
    return broker
        .factory(
            """
            kafka:
              common: { bootstrap-servers: "${BROKERS}" }
              consumers:
                broadcast:
                  topics: ["${TOPIC}"]
                  group-id: ${GROUP}
                  mode: broadcast
            """
                + more.indent(6))
        .createConsumer("broadcast", String.class)
        .subscribe((value, context) -> handled.add(value));
  }
}
