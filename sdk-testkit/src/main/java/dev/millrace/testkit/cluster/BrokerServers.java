package dev.millrace.testkit.cluster;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import kafka.server.BrokerServer;
import kafka.server.ControllerServer;
import kafka.server.FaultHandlerFactory;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import kafka.server.SharedServer;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.bootstrap.BootstrapMetadata;
import org.apache.kafka.metadata.properties.MetaPropertiesEnsemble;
import org.apache.kafka.raft.QuorumConfig;
import org.apache.kafka.server.ServerSocketFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.Tuple2;

/** The broker and the controller of one node, in this JVM. Not thread-safe. */
final class BrokerServers {
  private static final Logger LOG = LoggerFactory.getLogger(BrokerServers.class);

  /** How long a broker may spend on handing its partitions to others. */
  private static final Duration HAND_OVER = Duration.ofSeconds(5);

  private final BrokerServer broker;
  private final ControllerServer controller;

  /** Makes them on formatted disks and starts nothing. */
  BrokerServers(
      Map<String, String> properties, FaultHandlerFactory faults, ServerSocketFactory sockets) {
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
            faults,
            sockets);
    broker = new BrokerServer(shared);
    controller = new ControllerServer(shared, KafkaRaftServer.configSchema(), disk._2());
  }

  /** Returns when the broker serves clients; a quorum of nodes must be running or starting. */
  void start() {
    controller.startup();
    broker.startup();
  }

  /**
   * Hands leadership over as far as others are there to take it, then stops serving clients. The
   * controller runs on, because the other nodes may still need its vote.
   */
  void stopBroker() {
    broker.shutdown(HAND_OVER);
  }

  void stopController() {
    controller.shutdown();
  }
}
