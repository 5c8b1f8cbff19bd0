package dev.millrace.testkit.cluster;

import dev.millrace.testkit.TestKitException;
import dev.millrace.testkit.internal.Answer;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Node;

/** Brokers somebody else runs: found, used and left as they are. */
final class ExternalBackend implements Backend {
  private final String servers;

  private volatile List<ClusterNode> nodes = List.of();

  ExternalBackend(ClusterSpec spec) {
    String given = spec.bootstrapServers();
    servers =
        given == null ? System.getProperty(ClusterKind.BOOTSTRAP_SERVERS_PROPERTY, "") : given;
    if (servers.isBlank()) {
      throw new IllegalArgumentException(
          "%s=%s needs the brokers' addresses: set %s=host:port,... or call bootstrapServers(...)"
              .formatted(
                  ClusterKind.PROPERTY,
                  ClusterKind.EXTERNAL.word(),
                  ClusterKind.BOOTSTRAP_SERVERS_PROPERTY));
    }
  }

  /** Finds the brokers. */
  @Override
  public void start() {
    nodes = find(servers, ClusterKind.EXTERNAL);
  }

  @Override
  public void stop() {
    throw Unable.to(
        "stop its brokers", ClusterKind.EXTERNAL, ClusterKind.EMBEDDED, ClusterKind.PROCESS);
  }

  @Override
  public String bootstrapServers() {
    return servers;
  }

  @Override
  public String directServers() {
    return servers;
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
  public void close() {
    // Nothing here was started by the kit.
  }

  /** Asks a Kafka that the kit does not steer for its brokers. */
  static List<ClusterNode> find(String servers, ClusterKind kind) {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", servers))) {
      return Answer.to("find the brokers at " + servers, admin.describeCluster().nodes()).stream()
          .map(Node::id)
          .sorted(Comparator.naturalOrder())
          .<ClusterNode>map(id -> new ForeignNode(id, kind))
          .toList();
    } catch (KafkaException e) {
      throw new TestKitException(
          "No Kafka can be reached at '%s' (kind %s)".formatted(servers, kind.word()), e);
    }
  }
}
