package dev.millrace.testkit.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.testkit.Clients;
import dev.millrace.testkit.TestKitException;
import java.net.BindException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.config.ConfigResource;
import org.awaitility.Awaitility;
import org.awaitility.core.ThrowingRunnable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ProcessClusterTest {
  private static final Duration LONG = Duration.ofSeconds(60);

  private KafkaCluster kafka;

  @BeforeAll
  void start() {
    long begin = System.nanoTime();
    kafka = KafkaCluster.builder().kind(ClusterKind.PROCESS).nodes(3).start();
    System.out.printf(
        "Three nodes in processes: started in %d ms, %d MiB resident in all%n",
        Duration.ofNanos(System.nanoTime() - begin).toMillis(), Processes.residentMib());
  }

  @AfterAll
  void close() {
    kafka.close();
    assertThat(Processes.children()).as("processes left").isEmpty();
  }

  @Test
  void aTopicSurvivesTheLossOfABroker() throws Exception {
    kafka.createTopic("safe", 1);
    ConfigResource safe = new ConfigResource(ConfigResource.Type.TOPIC, "safe");

    eventually(() -> assertThat(partition("safe").replicas()).hasSize(3));
    eventually(
        () ->
            assertThat(kafka.admin().describeConfigs(Set.of(safe)).all().get().get(safe))
                .extracting(config -> config.get("min.insync.replicas").value())
                .isEqualTo("2"));
  }

  @Test
  void aKilledLeaderIsReplacedAndCatchesUpOnAnEmptyDisk() throws Exception {
    TopicPartition killed = new TopicPartition("killed", 0);
    kafka.createTopic("killed", 1);
    ClusterNode leader = kafka.leaderOf(killed);
    try (KafkaProducer<String, String> producer =
        Clients.producer(kafka, Map.of("request.timeout.ms", "5000"))) {
      producer.send(new ProducerRecord<>("killed", "before")).get();
      assertThatIllegalStateException().isThrownBy(leader::wipe).withMessageContaining("node");

      leader.kill();
      leader.kill();

      assertThat(leader.running()).isFalse();
      producer.send(new ProducerRecord<>("killed", "after")).get();
      eventually(() -> assertThat(kafka.leaderOf(killed)).isNotEqualTo(leader));
    }

    leader.wipe();
    assertThat(Directories.topicsOf(leader)).doesNotContain("killed-0");
    leader.start();

    awaitInSync("killed", 3);
    eventually(
        () -> {
          kafka.admin().electLeaders(ElectionType.PREFERRED, Set.of(killed)).partitions().get();
          assertThat(kafka.leaderOf(killed)).as("who reads are served by").isEqualTo(leader);
        });
    assertThat(read("killed", 2)).containsExactly("before", "after");
  }

  @Test
  void aLeaderThatStandsStillIsReplaced() {
    TopicPartition paused = new TopicPartition("paused", 0);
    kafka.createTopic("paused", 1);
    ClusterNode leader = kafka.leaderOf(paused);

    leader.pause();
    try {
      assertThat(leader.running()).isTrue();
      Awaitility.await()
          .atMost(LONG)
          .ignoreException(TestKitException.class)
          .until(() -> !kafka.leaderOf(paused).equals(leader));
    } finally {
      leader.resume();
    }
    awaitInSync("paused", 3);
  }

  @Test
  void aStoppedNodeKeepsItsPortAndItsData() throws Exception {
    kafka.createTopic("stopped", 1);
    ClusterNode node = kafka.node(2);

    node.stop();
    node.stop();

    assertThat(node.running()).isFalse();
    assertThatIllegalStateException().isThrownBy(node::pause).withMessageContaining("node 2");
    assertThatThrownBy(() -> Ports.connectFrom(Ports.of(kafka).get(1)))
        .isInstanceOf(BindException.class);
    awaitInSync("stopped", 2);
    node.start();
    node.start();
    awaitInSync("stopped", 3);
  }

  @Test
  void theCoordinatorOfAGroupIsKnown() throws Exception {
    kafka.createTopic("coordinated", 1);
    try (KafkaConsumer<String, String> consumer =
        Clients.consumer(kafka, Map.of("group.id", "reader-of-coordinated"))) {
      consumer.commitSync(Map.of(new TopicPartition("coordinated", 0), new OffsetAndMetadata(0)));
    }

    eventually(
        () -> {
          int asked =
              kafka
                  .admin()
                  .describeConsumerGroups(List.of("reader-of-coordinated"))
                  .all()
                  .get()
                  .get("reader-of-coordinated")
                  .coordinator()
                  .id();
          assertThat(kafka.coordinatorOf("reader-of-coordinated").id()).isEqualTo(asked);
        });
  }

  private void awaitInSync(String topic, int replicas) {
    eventually(() -> assertThat(partition(topic).isr()).hasSize(replicas));
  }

  /** Whichever broker is asked, it may not have heard yet of what another one knows. */
  private static void eventually(ThrowingRunnable holds) {
    Awaitility.await().atMost(LONG).ignoreExceptions().untilAsserted(holds);
  }

  private TopicPartitionInfo partition(String topic) throws Exception {
    return kafka
        .admin()
        .describeTopics(List.of(topic))
        .allTopicNames()
        .get()
        .get(topic)
        .partitions()
        .get(0);
  }

  private List<String> read(String topic, int count) {
    try (KafkaConsumer<String, String> consumer =
        Clients.consumer(kafka, Map.of("group.id", "reader-of-" + topic))) {
      consumer.subscribe(List.of(topic));
      return Clients.values(() -> consumer.poll(Duration.ofMillis(100)), count);
    }
  }
}
