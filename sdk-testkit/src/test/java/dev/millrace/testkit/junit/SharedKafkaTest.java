package dev.millrace.testkit.junit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.testkit.Clients;
import dev.millrace.testkit.cluster.ClusterKind;
import dev.millrace.testkit.cluster.KafkaCluster;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.platform.launcher.listeners.TestExecutionSummary;
import org.junit.platform.launcher.listeners.TestExecutionSummary.Failure;
import org.testcontainers.DockerClientFactory;

/** Runs test classes in runs of their own and looks at the Kafka they shared. */
class SharedKafkaTest {
  private static final Queue<KafkaCluster> GIVEN = new ConcurrentLinkedQueue<>();

  @Test
  void classesAtTheSameTimeShareOne() {
    GIVEN.clear();
    TestExecutionSummary summary = Launch.inParallel(OneClass.class, OtherClass.class);

    assertThat(summary.getFailures()).extracting(Failure::getException).isEmpty();
    assertThat(GIVEN).hasSize(2).containsOnly(GIVEN.element());
  }

  @Test
  void aFailedTestLeavesNoProcess() {
    GIVEN.clear();
    TestExecutionSummary summary =
        Launch.of(Map.of(ClusterKind.PROPERTY, "process"), FailsOnPurpose.class);

    assertThat(summary.getFailures())
        .extracting(failure -> failure.getException().getMessage())
        .containsExactly("on purpose");
    assertThat(GIVEN.element().kind()).isEqualTo(ClusterKind.PROCESS);
    assertThat(ProcessHandle.current().children().map(child -> child.info().command().orElse("")))
        .noneMatch(command -> command.endsWith("java"));
  }

  @Test
  void leavesNoTopicAndNoGroupInAnExternalOne() throws Exception {
    try (KafkaCluster there = KafkaCluster.builder().kind(ClusterKind.EMBEDDED).start()) {
      there.createTopic("of-others", 1);
      commit(there, "of-others", "of-others");

      TestExecutionSummary summary =
          Launch.of(
              Map.of(
                  ClusterKind.PROPERTY,
                  "external",
                  ClusterKind.BOOTSTRAP_SERVERS_PROPERTY,
                  there.bootstrapServers()),
              UsesGroups.class,
              EndsInterrupted.class);

      assertThat(summary.getFailures()).extracting(Failure::getException).isEmpty();
      assertThat(summary.getTestsSucceededCount()).isEqualTo(2);
      assertThat(there.topicNames()).containsExactly("of-others");
      assertThat(groups(there)).containsExactly("of-others");
    }
  }

  @Test
  void aWrongParameterIsSaidToEveryClass() {
    TestExecutionSummary wrongKind =
        Launch.of(Map.of(ClusterKind.PROPERTY, "cloud"), Quick.class, FailsOnPurpose.class);
    TestExecutionSummary wrongNumber =
        Launch.of(Map.of(KafkaTest.NODES_PROPERTY, "some"), Quick.class);

    assertThat(wrongKind.getFailures())
        .hasSize(2)
        .allSatisfy(
            failure ->
                assertThat(failure.getException())
                    .hasMessageContaining("'cloud'")
                    .hasMessageContaining("embedded, process, testcontainers, external"));
    assertThat(wrongNumber.getFailures())
        .singleElement()
        .satisfies(
            failure ->
                assertThat(failure.getException())
                    .hasMessageContaining("millrace.testkit.nodes is 'some'"));
  }

  @Test
  void withoutAContainerEngineEveryClassShowsAsSkipped() {
    Assumptions.assumeFalse(
        DockerClientFactory.instance().isDockerAvailable(), "a container engine answers here");

    TestExecutionSummary summary =
        Launch.of(
            Map.of(ClusterKind.PROPERTY, "testcontainers"), Quick.class, FailsOnPurpose.class);

    assertThat(summary.getContainersSkippedCount()).isEqualTo(2);
    assertThat(summary.getTestsStartedCount()).isZero();
    assertThat(summary.getFailures()).isEmpty();
  }

  /** None starts a Kafka of its own; prints what a class costs that makes a topic. */
  @Test
  void aFurtherClassIsCheap() {
    Map<String, String> embedded = Map.of(ClusterKind.PROPERTY, "embedded");
    long one = millis(() -> Launch.of(embedded, Quick.class));
    Costs.reset();

    TestExecutionSummary summary =
        Launch.of(
            embedded, Costs.First.class, Costs.Second.class, Costs.Third.class, Costs.Fourth.class);

    assertThat(summary.getFailures()).extracting(Failure::getException).isEmpty();
    System.out.printf(
        "A run of one @KafkaTest class took %d ms; each further class that makes a topic %d ms%n",
        one, Costs.millisPerFurtherClass());
    assertThat(Costs.clusters()).hasSize(1);
  }

  private static long millis(Runnable task) {
    long start = System.nanoTime();
    task.run();
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
  }

  private static void commit(KafkaCluster kafka, String topic, String group) {
    try (KafkaConsumer<String, String> consumer =
        Clients.consumer(kafka, Map.of("group.id", group))) {
      consumer.commitSync(Map.of(new TopicPartition(topic, 0), new OffsetAndMetadata(0)));
    }
  }

  private static List<String> groups(KafkaCluster kafka) throws Exception {
    return kafka.admin().listGroups().all().get().stream().map(GroupListing::groupId).toList();
  }

  @KafkaTest
  @Execution(ExecutionMode.CONCURRENT)
  static class OneClass {
    private static final CyclicBarrier BOTH = new CyclicBarrier(2);

    @Test
    void meetsTheOther(KafkaCluster kafka, TestTopics topics) throws Exception {
      meet(kafka, topics);
    }

    static void meet(KafkaCluster kafka, TestTopics topics) throws Exception {
      GIVEN.add(kafka);
      String topic = topics.create("t", 1);
      BOTH.await(60, TimeUnit.SECONDS);
      assertThat(kafka.topicNames()).contains(topic).hasSize(2);
      BOTH.await(60, TimeUnit.SECONDS);
    }
  }

  @KafkaTest
  @Execution(ExecutionMode.CONCURRENT)
  static class OtherClass {
    @Test
    void meetsTheOther(KafkaCluster kafka, TestTopics topics) throws Exception {
      OneClass.meet(kafka, topics);
    }
  }

  @KafkaTest
  static class FailsOnPurpose {
    @Test
    void fails(KafkaCluster kafka) {
      GIVEN.add(kafka);
      throw new IllegalStateException("on purpose");
    }
  }

  @KafkaTest
  static class UsesGroups {
    @Test
    void commitsInEachTypeOfGroup(KafkaCluster kafka, TestTopics topics) throws Exception {
      String topic = topics.create("t", 1);
      commit(kafka, topic, topics.groupId("simple"));
      for (String protocol : List.of("classic", "consumer")) {
        join(kafka, topic, topics.groupId(protocol), protocol);
      }
      try (KafkaShareConsumer<String, String> consumer =
          Clients.shareConsumer(kafka, topics.groupId("share"))) {
        consumer.subscribe(List.of(topic));
        Awaitility.await()
            .atMost(Duration.ofSeconds(60))
            .pollInSameThread()
            .until(
                () -> {
                  consumer.poll(Duration.ofMillis(50));
                  return groups(kafka).contains(topics.groupId("share"));
                });
      }
      assertThat(groups(kafka)).hasSize(5);
    }

    private static void join(KafkaCluster kafka, String topic, String group, String protocol) {
      try (KafkaConsumer<String, String> consumer =
          Clients.consumer(kafka, Map.of("group.id", group, "group.protocol", protocol))) {
        consumer.subscribe(List.of(topic));
        Awaitility.await()
            .atMost(Duration.ofSeconds(60))
            .pollInSameThread()
            .until(
                () -> {
                  consumer.poll(Duration.ofMillis(50));
                  return !consumer.assignment().isEmpty();
                });
        consumer.commitSync();
      }
    }
  }

  @KafkaTest
  static class EndsInterrupted {
    @Test
    void endsInterrupted(KafkaCluster kafka, TestTopics topics) {
      commit(kafka, topics.create("t", 1), topics.groupId("g"));
      Thread.currentThread().interrupt();
    }
  }

  @KafkaTest
  static class Quick {
    @Test
    void looks(KafkaCluster kafka) {
      assertThat(kafka.topicNames()).isEmpty();
    }
  }
}
