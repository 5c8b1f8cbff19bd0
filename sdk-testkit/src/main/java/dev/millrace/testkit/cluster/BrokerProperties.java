package dev.millrace.testkit.cluster;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.common.security.auth.SecurityProtocol;

/**
 * A broker's configuration: light and quick for tests, overridden by the user's own properties, and
 * on top the few lines that wire the nodes together, which the kit alone decides.
 */
final class BrokerProperties {
  static final String BROKER_LISTENER = "BROKER";
  static final String CLIENT_LISTENER = "CLIENT";
  static final String CONTROLLER_LISTENER = "CONTROLLER";

  private static final Set<String> DECIDED_BY_THE_KIT =
      Set.of(
          "process.roles",
          "node.id",
          "listeners",
          "advertised.listeners",
          "listener.security.protocol.map",
          "inter.broker.listener.name",
          "controller.listener.names",
          "controller.quorum.voters",
          "controller.quorum.bootstrap.servers",
          "server.max.startup.time.ms",
          "log.dir",
          "log.dirs",
          "metadata.log.dir");

  /** Nothing waits for company: one test's group is complete when its members are there. */
  private static final Map<String, String> NO_WAITING =
      Map.ofEntries(
          Map.entry("group.initial.rebalance.delay.ms", "0"),
          Map.entry("group.min.session.timeout.ms", "100"),
          Map.entry("group.consumer.min.session.timeout.ms", "1000"),
          Map.entry("group.consumer.session.timeout.ms", "10000"),
          Map.entry("group.consumer.min.heartbeat.interval.ms", "100"),
          Map.entry("group.consumer.heartbeat.interval.ms", "500"),
          Map.entry("group.consumer.assignment.interval.ms", "0"),
          Map.entry("group.share.min.session.timeout.ms", "1000"),
          Map.entry("group.share.session.timeout.ms", "10000"),
          Map.entry("group.share.min.heartbeat.interval.ms", "100"),
          Map.entry("group.share.heartbeat.interval.ms", "500"),
          Map.entry("group.share.assignment.interval.ms", "0"),
          Map.entry("group.share.min.record.lock.duration.ms", "1000"),
          Map.entry("controller.quorum.append.linger.ms", "0"),
          Map.entry("log.initial.task.delay.ms", "1000"),
          Map.entry("log.segment.delete.delay.ms", "1000"));

  /** A record may say any time: one of last year is not to vanish in the midst of a test. */
  private static final Map<String, String> NO_RETENTION = Map.of("log.retention.ms", "-1");

  private static final Map<String, String> LIGHT =
      Map.ofEntries(
          Map.entry("auto.create.topics.enable", "false"),
          Map.entry("num.network.threads", "2"),
          Map.entry("num.io.threads", "2"),
          Map.entry("background.threads", "2"),
          Map.entry("num.recovery.threads.per.data.dir", "1"),
          Map.entry("group.coordinator.threads", "1"),
          Map.entry("group.coordinator.background.threads", "1"),
          Map.entry("log.cleaner.threads", "1"),
          Map.entry("log.cleaner.dedupe.buffer.size", "2097152"),
          Map.entry("log.segment.bytes", "67108864"),
          Map.entry("log.index.size.max.bytes", "1048576"));

  private static final List<String> INTERNAL_TOPICS =
      List.of("offsets.topic", "transaction.state.log", "share.coordinator.state.topic");

  private BrokerProperties() {}

  /**
   * Refuses a property that would break what the kit promises.
   *
   * @throws IllegalArgumentException if only the kit may set it
   */
  static void refuseOwn(String name) {
    if (DECIDED_BY_THE_KIT.contains(name)) {
      throw new IllegalArgumentException(
          "The test kit sets " + name + " itself, with ports, directories, roles and timeout");
    }
  }

  /**
   * With others there to take over, a broker that vanished is given up within seconds, and what the
   * others hold is enough to go on without losing what was acknowledged.
   */
  private static final Map<String, String> FAILOVER =
      Map.of(
          "broker.session.timeout.ms", "4000",
          "broker.heartbeat.interval.ms", "500",
          "replica.lag.time.max.ms", "5000");

  /** The kit's defaults for a cluster of {@code nodes}, with the user's own over them. */
  static Map<String, String> defaults(int nodes, Map<String, String> overrides) {
    Map<String, String> properties = new HashMap<>(NO_WAITING);
    properties.putAll(NO_RETENTION);
    properties.putAll(LIGHT);
    if (nodes > 1) {
      properties.putAll(FAILOVER);
    }
    INTERNAL_TOPICS.forEach(
        topic -> {
          properties.put(topic + ".num.partitions", "1");
          properties.put(topic + ".replication.factor", Integer.toString(nodes));
        });
    String minInSync = nodes < 3 ? "1" : "2";
    properties.put("default.replication.factor", Integer.toString(nodes));
    properties.put("min.insync.replicas", minInSync);
    properties.put("transaction.state.log.min.isr", minInSync);
    properties.put("share.coordinator.state.topic.min.isr", minInSync);
    properties.putAll(overrides);
    return properties;
  }

  /**
   * The whole configuration of one node of {@code all}.
   *
   * @param clients how the listener for clients is secured; the others never are
   */
  static Map<String, String> of(
      NodePlace place,
      List<NodePlace> all,
      Map<String, String> overrides,
      Duration startBound,
      SecurityProtocol clients,
      Map<String, String> security) {
    Map<String, String> properties = defaults(all.size(), overrides);
    properties.put("server.max.startup.time.ms", Long.toString(startBound.toMillis()));
    properties.putAll(security);
    properties.putAll(wiring(place, all, clients));
    return properties;
  }

  private static Map<String, String> wiring(
      NodePlace place, List<NodePlace> all, SecurityProtocol clients) {
    String broker = listener(BROKER_LISTENER, place.brokerPort());
    String voters =
        all.stream()
            .map(p -> p.id() + "@" + ReservedPort.HOST + ":" + p.controllerPort())
            .collect(Collectors.joining(","));
    return Map.ofEntries(
        Map.entry("process.roles", "broker,controller"),
        Map.entry("node.id", Integer.toString(place.id())),
        Map.entry(
            "listeners",
            String.join(
                ",",
                broker,
                listener(CLIENT_LISTENER, place.clientPort()),
                listener(CONTROLLER_LISTENER, place.controllerPort()))),
        Map.entry(
            "advertised.listeners",
            broker + "," + listener(CLIENT_LISTENER, place.advertisedPort())),
        Map.entry(
            "listener.security.protocol.map",
            "%s:PLAINTEXT,%s:PLAINTEXT,%s:%s"
                .formatted(BROKER_LISTENER, CONTROLLER_LISTENER, CLIENT_LISTENER, clients.name)),
        Map.entry("inter.broker.listener.name", BROKER_LISTENER),
        Map.entry("controller.listener.names", CONTROLLER_LISTENER),
        Map.entry("controller.quorum.voters", voters),
        Map.entry("log.dirs", place.topics().toString()),
        Map.entry("metadata.log.dir", place.metadata().toString()));
  }

  private static String listener(String name, int port) {
    return name + "://" + ReservedPort.HOST + ":" + port;
  }
}
