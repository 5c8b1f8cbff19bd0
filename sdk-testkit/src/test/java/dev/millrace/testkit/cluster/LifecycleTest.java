package dev.millrace.testkit.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.testkit.Clients;
import dev.millrace.testkit.TestKitException;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
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
  @BeforeAll
  static void startTheThreadsThatTheJvmKeeps() {
    // The broker's metrics library starts its own few threads once in a JVM and never ends them.
    KafkaCluster.start().close();
  }

  @Test
  void closeLeavesNoThreadNoPortNoDirectory() throws Exception {
    Set<Thread> threadsBefore = threads();
    Set<Path> directoriesBefore = directories();
    KafkaCluster kafka = KafkaCluster.start();
    try (kafka;
        KafkaProducer<String, String> producer = Clients.producer(kafka, Map.of())) {
      kafka.createTopic("some", 1);
      producer.send(new ProducerRecord<>("some", "v")).get();
      assertThat(directories()).hasSize(directoriesBefore.size() + 1);
    }
    kafka.close();

    assertThat(directories()).isEqualTo(directoriesBefore);
    assertThatCode(() -> bind(port(kafka))).doesNotThrowAnyException();
    awaitOnly(threadsBefore);
    assertThatIllegalStateException().isThrownBy(kafka::startBroker);
  }

  @Test
  void aStartThatFailsLeavesNothing() throws Exception {
    Set<Thread> threadsBefore = threads();
    Set<Path> directoriesBefore = directories();

    assertThatThrownBy(() -> KafkaCluster.builder().property("num.network.threads", "none").start())
        .isInstanceOf(TestKitException.class)
        .hasMessageContaining("num.network.threads");

    assertThat(directories()).isEqualTo(directoriesBefore);
    awaitOnly(threadsBefore);
  }

  @Test
  void aStartThatFailsHalfWayLeavesNothing() throws Exception {
    Set<Thread> threadsBefore = threads();
    Set<Path> directoriesBefore = directories();

    // Known only when the controller is up: the broker refuses to start with it.
    assertThatThrownBy(
            () -> KafkaCluster.builder().property("authorizer.class.name", "no.such.Class").start())
        .isInstanceOf(TestKitException.class)
        .hasMessageContaining("no.such.Class");

    assertThat(directories()).isEqualTo(directoriesBefore);
    awaitOnly(threadsBefore);
  }

  @Test
  void aStartThatTakesTooLongIsGivenUp() throws Exception {
    Set<Thread> threadsBefore = threads();
    Set<Path> directoriesBefore = directories();

    assertThatThrownBy(() -> KafkaCluster.builder().startTimeout(Duration.ofMillis(50)).start())
        .isInstanceOf(TestKitException.class);

    assertThat(directories()).isEqualTo(directoriesBefore);
    awaitOnly(threadsBefore);
  }

  @Test
  void anInterruptedTestStillClosesIt() throws Exception {
    Set<Thread> threadsBefore = threads();
    KafkaCluster kafka = KafkaCluster.start();

    Thread.currentThread().interrupt();
    kafka.close();

    assertThat(Thread.interrupted()).isTrue();
    assertThatCode(() -> bind(port(kafka))).doesNotThrowAnyException();
    awaitOnly(threadsBefore);
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
        assertThatThrownBy(() -> connectFrom(port(kafka))).isInstanceOf(BindException.class);
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

  private static int port(KafkaCluster kafka) {
    String address = kafka.bootstrapServers();
    return Integer.parseInt(address.substring(address.indexOf(':') + 1));
  }

  private static void bind(int port) throws IOException {
    new ServerSocket(port, 1, InetAddress.getByAddress(new byte[] {127, 0, 0, 1})).close();
  }

  /** What the system does when it chooses a port for an outgoing connection. */
  private static void connectFrom(int port) throws IOException {
    try (Socket client = new Socket()) {
      client.setReuseAddress(false);
      client.bind(new InetSocketAddress(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}), port));
    }
  }

  private static Set<Thread> threads() {
    return Thread.getAllStackTraces().keySet();
  }

  private static void awaitOnly(Set<Thread> expected) {
    Awaitility.await()
        .pollInSameThread()
        .atMost(Duration.ofSeconds(10))
        .untilAsserted(() -> assertThat(expected).containsAll(threads()));
  }

  private static Set<Path> directories() throws IOException {
    String ours = "millrace-kafka-" + ProcessHandle.current().pid() + "-";
    try (Stream<Path> all = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
      return all.filter(p -> p.getFileName().toString().startsWith(ours))
          .collect(Collectors.toSet());
    }
  }
}
