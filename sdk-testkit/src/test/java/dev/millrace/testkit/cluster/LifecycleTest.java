package dev.millrace.testkit.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.testkit.Clients;
import dev.millrace.testkit.TestKitException;
import java.net.BindException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.utils.Exit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/** What a start leaves behind: compares the whole JVM before and after, so it runs alone. */
@Isolated
class LifecycleTest {
  private static final Duration LONG = Duration.ofSeconds(60);

  @BeforeAll
  static void startTheThreadsThatTheJvmKeeps() {
    // The broker's metrics library starts its own few threads once in a JVM and never ends them.
    KafkaCluster.start().close();
  }

  @Test
  void closeLeavesNoThreadNoPortNoDirectory() throws Exception {
    Set<Thread> threadsBefore = threads();
    Set<Path> directoriesBefore = Directories.ours();
    KafkaCluster kafka = KafkaCluster.start();
    try (kafka;
        KafkaProducer<String, String> producer = Clients.producer(kafka, Map.of())) {
      kafka.createTopic("some", 1);
      producer.send(new ProducerRecord<>("some", "v")).get();
      assertThat(Directories.ours()).hasSize(directoriesBefore.size() + 1);
    }
    kafka.close();

    assertThat(Directories.ours()).isEqualTo(directoriesBefore);
    assertThatCode(() -> Ports.bind(Ports.of(kafka).get(0))).doesNotThrowAnyException();
    awaitOnly(threadsBefore);
    assertThatIllegalStateException().isThrownBy(kafka::startBroker);
  }

  @Test
  void aStartThatFailsLeavesNothing() throws Exception {
    Set<Thread> threadsBefore = threads();
    Set<Path> directoriesBefore = Directories.ours();

    assertThatThrownBy(() -> KafkaCluster.builder().property("num.network.threads", "none").start())
        .isInstanceOf(TestKitException.class)
        .hasMessageContaining("num.network.threads");

    assertThat(Directories.ours()).isEqualTo(directoriesBefore);
    awaitOnly(threadsBefore);
  }

  @Test
  void aStartThatFailsHalfWayLeavesNothing() throws Exception {
    Set<Thread> threadsBefore = threads();
    Set<Path> directoriesBefore = Directories.ours();

    // Known only when the controller is up: the broker refuses to start with it.
    assertThatThrownBy(
            () -> KafkaCluster.builder().property("authorizer.class.name", "no.such.Class").start())
        .isInstanceOf(TestKitException.class)
        .hasMessageContaining("no.such.Class");

    assertThat(Directories.ours()).isEqualTo(directoriesBefore);
    awaitOnly(threadsBefore);
  }

  @Test
  void aStartThatTakesTooLongIsGivenUp() throws Exception {
    Set<Thread> threadsBefore = threads();
    Set<Path> directoriesBefore = Directories.ours();

    // Less than the election of a controller takes, on whatever machine: it writes to the disk.
    assertThatThrownBy(() -> KafkaCluster.builder().startTimeout(Duration.ofMillis(1)).start())
        .isInstanceOf(TestKitException.class);

    assertThat(Directories.ours()).isEqualTo(directoriesBefore);
    awaitOnly(threadsBefore);
  }

  @Test
  void anInterruptedTestStillClosesIt() throws Exception {
    Set<Thread> threadsBefore = threads();
    KafkaCluster kafka = KafkaCluster.start();

    Thread.currentThread().interrupt();
    kafka.close();

    assertThat(Thread.interrupted()).isTrue();
    assertThatCode(() -> Ports.bind(Ports.of(kafka).get(0))).doesNotThrowAnyException();
    awaitOnly(threadsBefore);
  }

  @Test
  void aProcessThatDoesNotStartShowsTheEndOfItsOutputAndLeavesNothing() throws Exception {
    Set<Path> directoriesBefore = Directories.ours();

    assertThatThrownBy(
            () ->
                KafkaCluster.builder()
                    .kind(ClusterKind.PROCESS)
                    .property("num.network.threads", "none")
                    .start())
        .isInstanceOf(TestKitException.class)
        .hasMessageContaining("node 1")
        .hasMessageContaining("Invalid value none for configuration num.network.threads");
    assertThatThrownBy(
            () ->
                KafkaCluster.builder()
                    .kind(ClusterKind.PROCESS)
                    .startTimeout(Duration.ofMillis(50))
                    .start())
        .isInstanceOf(TestKitException.class)
        .hasMessageContaining("does not serve clients after PT0.05S");

    assertThat(Directories.ours()).isEqualTo(directoriesBefore);
    assertThat(Processes.children()).isEmpty();
  }

  @Test
  void anInterruptedStartOfAProcessLeavesNothing() throws Exception {
    Set<Path> directoriesBefore = Directories.ours();

    Thread test = Thread.currentThread();
    CompletableFuture<Void> interruption =
        CompletableFuture.runAsync(
            () -> {
              Awaitility.await().atMost(LONG).until(() -> !Processes.children().isEmpty());
              test.interrupt();
            });
    assertThatThrownBy(() -> KafkaCluster.builder().kind(ClusterKind.PROCESS).start())
        .isInstanceOf(TestKitException.class)
        .hasMessageContaining("Interrupted");

    assertThat(Thread.interrupted()).isTrue();
    interruption.join();
    assertThat(Directories.ours()).isEqualTo(directoriesBefore);
    assertThat(Processes.children()).isEmpty();
  }

  @Test
  void twoRunAtOnce() {
    try (KafkaCluster one = KafkaCluster.start();
        KafkaCluster other = KafkaCluster.start()) {
      one.createTopic("here", 1);
      other.createTopic("there", 1);

      assertThat(one.topicNames()).containsExactly("here");
      assertThat(other.topicNames()).containsExactly("there");
    }
  }

  @Test
  void comesBackOnTheSamePortWithItsData() throws Exception {
    try (KafkaCluster kafka = KafkaCluster.start();
        KafkaProducer<String, String> producer = Clients.producer(kafka, Map.of())) {
      kafka.createTopic("kept", 1);
      producer.send(new ProducerRecord<>("kept", "before")).get();
      String address = kafka.bootstrapServers();

      for (int i = 0; i < 3; i++) {
        kafka.stopBroker();
        kafka.stopBroker();
        assertThatThrownBy(() -> Ports.connectFrom(Ports.of(kafka).get(0)))
            .isInstanceOf(BindException.class);
        kafka.startBroker();
        kafka.startBroker();
      }

      assertThat(kafka.bootstrapServers()).isEqualTo(address);
      assertThat(producer.send(new ProducerRecord<>("kept", "after")).get().offset()).isOne();
    }
  }

  @Test
  void threeNodesReplicate() throws Exception {
    try (KafkaCluster kafka = KafkaCluster.builder().nodes(3).start();
        KafkaProducer<String, String> producer = Clients.producer(kafka, Map.of())) {
      kafka.createTopic("replicated", 3, Map.of("min.insync.replicas", "3"));
      producer.send(new ProducerRecord<>("replicated", "v")).get();

      assertThat(kafka.bootstrapServers().split(",", -1)).hasSize(3);
    }
  }

  @Test
  void aBrokerThatGivesUpDoesNotEndTheJvm() {
    BrokerExit.disarm();

    assertThatThrownBy(() -> Exit.halt(3, "disk gone"))
        .isInstanceOf(TestKitException.class)
        .hasMessageContaining("disk gone");
  }

  @Test
  void refusesWhatTheKitDecides() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> KafkaCluster.builder().property("listeners", "X://:1"))
        .withMessageContaining("listeners");
    assertThatIllegalArgumentException().isThrownBy(() -> KafkaCluster.builder().nodes(0));
  }

  private static Set<Thread> threads() {
    return Thread.getAllStackTraces().keySet();
  }

  private static void awaitOnly(Set<Thread> expected) {
    Awaitility.await()
        .pollInSameThread()
        .atMost(LONG)
        .untilAsserted(() -> assertThat(expected).containsAll(threads()));
  }
}
