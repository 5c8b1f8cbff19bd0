package dev.millrace.testkit.cluster;

import dev.millrace.testkit.TestKitException;
import java.util.List;
import java.util.Locale;
import org.apache.kafka.common.utils.AppInfoParser;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.kafka.KafkaContainer;
import org.testcontainers.utility.DockerImageName;

/** One broker in a container, of the version of the Kafka client here. */
final class ContainerBackend implements Backend {
  private final KafkaContainer container;

  private volatile List<ClusterNode> nodes = List.of();

  ContainerBackend(ClusterSpec spec) {
    container =
        new KafkaContainer(
            DockerImageName.parse("apache/kafka").withTag(AppInfoParser.getVersion()));
    container.withStartupTimeout(spec.startTimeout());
    BrokerProperties.defaults(1, spec.properties())
        .forEach((name, value) -> container.withEnv(variable(name), value));
  }

  static boolean engineAnswers() {
    return DockerClientFactory.instance().isDockerAvailable();
  }

  @Override
  public synchronized void start() {
    try {
      container.start();
    } catch (RuntimeException e) {
      throw new TestKitException(
          "The container of %s does not start".formatted(container.getDockerImageName()), e);
    }
    nodes = ExternalBackend.find(bootstrapServers(), ClusterKind.TESTCONTAINERS);
  }

  /** A container that starts again gets another port, which no client would find. */
  @Override
  public void stop() {
    throw Unable.to(
        "stop its broker", ClusterKind.TESTCONTAINERS, ClusterKind.EMBEDDED, ClusterKind.PROCESS);
  }

  @Override
  public String bootstrapServers() {
    return container.getBootstrapServers();
  }

  @Override
  public String directServers() {
    return bootstrapServers();
  }

  @Override
  public List<ClusterNode> nodes() {
    return nodes;
  }

  @Override
  public ClientAccess access() {
    return ClientAccess.OPEN;
  }

  @Override
  public synchronized void close() {
    container.stop();
  }

  /** The image takes a property from the environment: {@code a.b} from {@code KAFKA_A_B}. */
  private static String variable(String property) {
    return "KAFKA_" + property.replace('.', '_').toUpperCase(Locale.ROOT);
  }
}
