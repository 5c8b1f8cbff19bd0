package dev.millrace.testkit.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;
import org.opentest4j.TestAbortedException;
import org.testcontainers.DockerClientFactory;

class ClusterKindTest {
  @Test
  void aWrongWordIsAnsweredWithTheRightOnes() {
    assertThat(ClusterKind.of(" Process ")).isEqualTo(ClusterKind.PROCESS);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ClusterKind.of("proces"))
        .withMessage(
            "millrace.testkit.cluster is 'proces',"
                + " but can only be one of embedded, process, testcontainers, external");
  }

  @Test
  @ResourceLock(Resources.SYSTEM_PROPERTIES)
  void theSystemPropertyDecidesUnlessTheTestDoes() {
    System.setProperty(ClusterKind.PROPERTY, "external");
    try {
      assertThatIllegalArgumentException()
          .isThrownBy(KafkaCluster::start)
          .withMessageContaining("millrace.testkit.cluster=external")
          .withMessageContaining("millrace.testkit.bootstrap-servers");
      assertThatThrownBy(() -> KafkaCluster.builder().nodes(3).bootstrapServers("x:1").start())
          .isInstanceOf(UnsupportedOperationException.class)
          .hasMessageContaining("kind external cannot have a number of nodes chosen")
          .hasMessageContaining("embedded or process");
      try (KafkaCluster kafka = KafkaCluster.builder().kind(ClusterKind.EMBEDDED).start()) {
        assertThat(kafka.kind()).isEqualTo(ClusterKind.EMBEDDED);
        usesAnExternalOne(kafka);
        anEmbeddedNodeCanBeStoppedButNotKilled(kafka);
      }
    } finally {
      System.clearProperty(ClusterKind.PROPERTY);
    }
  }

  private static void usesAnExternalOne(KafkaCluster there) {
    KafkaCluster kafka = KafkaCluster.builder().bootstrapServers(there.bootstrapServers()).start();
    try (kafka) {
      kafka.createTopic("external", 1);

      assertThat(kafka.kind()).isEqualTo(ClusterKind.EXTERNAL);
      assertThat(kafka.leaderOf(new TopicPartition("external", 0)))
          .isEqualTo(kafka.node(1))
          .extracting(ClusterNode::id)
          .isEqualTo(1);
      assertThat(kafka.clientProperties())
          .containsOnlyKeys("bootstrap.servers")
          .containsValue(there.bootstrapServers());
      assertThatExceptionOfType(UnsupportedOperationException.class)
          .isThrownBy(kafka::stopBroker)
          .withMessageContaining("embedded or process");
      assertThatExceptionOfType(UnsupportedOperationException.class)
          .isThrownBy(() -> kafka.node(1).kill())
          .withMessageContaining("of kind process it can");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> kafka.node(2))
          .withMessage("There is no node 2, only [1]");
    }
    assertThat(there.topicNames()).as("what was made there stays").contains("external");
  }

  private static void anEmbeddedNodeCanBeStoppedButNotKilled(KafkaCluster kafka) {
    ClusterNode node = kafka.node(1);
    assertThatExceptionOfType(UnsupportedOperationException.class)
        .isThrownBy(node::kill)
        .withMessageContaining("of kind process it can");

    node.stop();
    node.wipe();
    node.start();

    assertThat(node.running()).isTrue();
    assertThat(kafka.topicNames()).contains("external");
  }

  @Test
  void withoutAContainerEngineATestIsSkipped() {
    KafkaClusterBuilder container = KafkaCluster.builder().kind(ClusterKind.TESTCONTAINERS);
    if (DockerClientFactory.instance().isDockerAvailable()) {
      try (KafkaCluster kafka = container.start()) {
        kafka.createTopic("contained", 1);
        assertThat(kafka.nodes()).hasSize(1);
      }
    } else {
      assertThatExceptionOfType(TestAbortedException.class)
          .isThrownBy(container::start)
          .withMessageContaining("SKIPPED")
          .withMessageContaining("no container engine");
    }
  }

  @Test
  void aMissingDependencyIsNamed() throws Exception {
    Class<?> without =
        new WithoutTestcontainers().loadClass("dev.millrace.testkit.cluster.ClusterKindTest$Start");

    assertThatThrownBy(() -> ((Runnable) without.getDeclaredConstructor().newInstance()).run())
        .isInstanceOf(RuntimeException.class)
        .hasMessageContaining("org.testcontainers:testcontainers-kafka");
  }

  /** Runs in another class loader. */
  public static final class Start implements Runnable {
    @Override
    public void run() {
      KafkaCluster.builder().kind(ClusterKind.TESTCONTAINERS).start();
    }
  }

  /** Loads the kit anew, where Testcontainers cannot be found. */
  private static final class WithoutTestcontainers extends ClassLoader {
    WithoutTestcontainers() {
      super(ClusterKindTest.class.getClassLoader());
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      if (name.startsWith("org.testcontainers.")) {
        throw new ClassNotFoundException(name);
      }
      synchronized (getClassLoadingLock(name)) {
        Class<?> loaded = findLoadedClass(name);
        if (loaded != null) {
          return loaded;
        }
        return name.startsWith("dev.millrace.testkit.")
            ? define(name)
            : super.loadClass(name, resolve);
      }
    }

    private Class<?> define(String name) throws ClassNotFoundException {
      String file = name.replace('.', '/') + ".class";
      try (InputStream in = getParent().getResourceAsStream(file)) {
        byte[] bytes = in.readAllBytes();
        return defineClass(name, bytes, 0, bytes.length);
      } catch (IOException e) {
        throw new ClassNotFoundException(name, e);
      }
    }
  }
}
