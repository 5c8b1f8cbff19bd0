package dev.millrace.testkit.cluster;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import kafka.server.BrokerServer;
import kafka.server.ControllerServer;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import kafka.server.SharedServer;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.bootstrap.BootstrapMetadata;
import org.apache.kafka.metadata.properties.MetaPropertiesEnsemble;
import org.apache.kafka.metadata.storage.Formatter;
import org.apache.kafka.raft.QuorumConfig;
import org.apache.kafka.server.common.MetadataVersion;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.Tuple2;

/**
 * One node, broker and controller in one, with its two ports and its data.
 *
 * <p>Ports and data last from construction to {@link #close()}; between, the servers come and go.
 * Not thread-safe: one caller at a time.
 */
final class EmbeddedNode implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(EmbeddedNode.class);

  private final ReservedPort brokerPort = new ReservedPort();
  private final ReservedPort controllerPort = new ReservedPort();
  private final NodePlace place;

  private @Nullable Servers servers;

  EmbeddedNode(int id, Path directory) {
    place = new NodePlace(id, brokerPort.port(), controllerPort.port(), directory);
  }

  NodePlace place() {
    return place;
  }

  boolean running() {
    return servers != null;
  }

  /** Writes the cluster's identity and its feature levels into the node's empty directory. */
  void format(String clusterId) throws Exception {
    new Formatter()
        .setNodeId(place.id())
        .setClusterId(clusterId)
        .addDirectory(place.directory().toString())
        .setMetadataLogDirectory(place.directory().toString())
        .setControllerListenerName(BrokerProperties.CONTROLLER_LISTENER)
        .setReleaseVersion(MetadataVersion.LATEST_PRODUCTION)
        .setPrintStream(new PrintStream(OutputStream.nullOutputStream()))
        .run();
  }

  /** Returns when the broker serves clients; a quorum of nodes must be starting with it. */
  void start(Map<String, String> properties) {
    KafkaConfig config = new KafkaConfig(properties, false);
    Tuple2<MetaPropertiesEnsemble, BootstrapMetadata> disk =
        KafkaRaftServer.initializeLogDirs(config, LOG, "");
    SharedServer shared =
        new SharedServer(
            config,
            disk._1(),
            Time.SYSTEM,
            new Metrics(),
            CompletableFuture.completedFuture(
                QuorumConfig.parseVoterConnections(config.quorumConfig().voters())),
            List.of(),
            BrokerExit::handler,
            this::openServerSocket);
    BrokerServer broker = new BrokerServer(shared);
    ControllerServer controller =
        new ControllerServer(shared, KafkaRaftServer.configSchema(), disk._2());
    servers = new Servers(broker, controller);
    controller.startup();
    broker.startup();
  }

  /**
   * The first half of a stop: hands leadership over as far as others are there to take it, then
   * stops serving clients. The controller runs on, because the other nodes may still need its vote.
   */
  void stopBroker(Duration handOver) {
    if (servers != null) {
      servers.broker().shutdown(handOver);
    }
  }

  /** The second half of a stop. The ports stay reserved. */
  void stopController() throws IOException {
    if (servers == null) {
      return;
    }
    servers.controller().shutdown();
    servers = null;
    brokerPort.hold();
    controllerPort.hold();
  }

  /** Gives the ports back. The servers must have been stopped. */
  @Override
  public void close() {
    brokerPort.close();
    controllerPort.close();
  }

  private ServerSocketChannel openServerSocket(
      String listener, InetSocketAddress address, int backlog, int receiveBuffer)
      throws IOException {
    return address.getPort() == place.brokerPort() ? brokerPort.lend() : controllerPort.lend();
  }

  private record Servers(BrokerServer broker, ControllerServer controller) {}
}
