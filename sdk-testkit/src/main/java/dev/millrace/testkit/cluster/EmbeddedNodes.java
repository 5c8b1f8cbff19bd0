package dev.millrace.testkit.cluster;

import dev.millrace.testkit.TestKitException;
import dev.millrace.testkit.internal.TempDirectory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.common.Uuid;

/**
 * The nodes of one embedded Kafka and the directory they share.
 *
 * <p>Not thread-safe: one caller at a time.
 */
final class EmbeddedNodes implements AutoCloseable {
  /** How long a broker may spend on handing its partitions to others. */
  private static final Duration HAND_OVER = Duration.ofSeconds(5);

  /** Far more than a stop takes: beyond it a thread is stuck, and waiting on would not help. */
  private static final Duration STOP_BOUND = Duration.ofSeconds(30);

  /**
   * What a start gets beyond its bound. At the bound the broker gives up by itself and puts its
   * threads away in order, which it does not when it is interrupted.
   */
  private static final Duration GIVE_UP = Duration.ofSeconds(15);

  private final TempDirectory directory = new TempDirectory("millrace-kafka");
  private final List<EmbeddedNode> nodes = new ArrayList<>();
  private final Map<String, String> overrides;
  private final Duration startBound;

  /** Reserves the ports and formats the directories of {@code size} nodes; starts nothing. */
  EmbeddedNodes(int size, Map<String, String> overrides, Duration startBound) {
    this.startBound = startBound;
    this.overrides = new HashMap<>(overrides);
    this.overrides.put("server.max.startup.time.ms", Long.toString(startBound.toMillis()));
    try {
      format(size);
    } catch (Exception e) {
      close();
      throw new TestKitException("Cannot prepare a directory for the broker", e);
    }
  }

  private void format(int size) throws Exception {
    String clusterId = Uuid.randomUuid().toString();
    for (int id = 1; id <= size; id++) {
      Path home = Files.createDirectory(directory.path().resolve("node-" + id));
      EmbeddedNode node = new EmbeddedNode(id, home);
      nodes.add(node);
      node.format(clusterId);
    }
  }

  String bootstrapServers() {
    return nodes.stream()
        .map(n -> ReservedPort.HOST + ":" + n.place().brokerPort())
        .collect(Collectors.joining(","));
  }

  /** Starts every node that is not running; all at once, because they elect each other. */
  void start() {
    BrokerExit.disarm();
    List<NodePlace> places = nodes.stream().map(EmbeddedNode::place).toList();
    List<EmbeddedNode> stopped = nodes.stream().filter(n -> !n.running()).toList();
    try {
      InParallel.run(
          "start",
          startBound.plus(GIVE_UP),
          stopped,
          node -> node.start(BrokerProperties.of(node.place(), places, overrides)));
    } catch (TestKitException e) {
      TestKitException advised =
          new TestKitException(
              e.getMessage()
                  + ". Its log (kafka.*, org.apache.kafka.*) says more; look for a wrong property,"
                  + " or give a slow machine a start timeout above "
                  + startBound,
              e.getCause());
      stopAfter(advised, stopped);
      throw advised;
    }
  }

  /** A node that failed half way may have left servers running. */
  private static void stopAfter(TestKitException failure, List<EmbeddedNode> nodes) {
    try {
      stop(nodes);
    } catch (TestKitException e) {
      failure.addSuppressed(e);
    }
  }

  /** Stops every node and keeps ports and data. */
  void stop() {
    stop(nodes);
  }

  private static void stop(List<EmbeddedNode> nodes) {
    try {
      InParallel.run("stop", STOP_BOUND, nodes, node -> node.stopBroker(HAND_OVER));
    } finally {
      InParallel.run("stop", STOP_BOUND, nodes, EmbeddedNode::stopController);
    }
  }

  @Override
  public void close() {
    try (directory) {
      stop();
    } finally {
      nodes.forEach(EmbeddedNode::close);
    }
  }
}
