package dev.millrace.testkit.cluster;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A broker's configuration: light and quick for tests, overridden by the user's own properties, and
 * on top the few lines that wire the nodes together, which the kit alone decides.
 */
final class BrokerProperties {
  static final String BROKER_LISTENER = "BROKER";
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
          Map.entry("controller.quorum.append.linger.ms", "0"),
          Map.entry("log.initial.task.delay.ms", "1000"),
          Map.entry("log.segment.delete.delay.ms", "1000"));

  private static final Map<String, String> LIGHT =
      Map.ofEntries(
          Map.entry("auto.create.topics.enable", "false"),
          Map.entry("offsets.topic.num.partitions", "1"),
          Map.entry("transaction.state.log.num.partitions", "1"),
          Map.entry("share.coordinator.state.topic.num.partitions", "1"),
          Map.entry("min.insync.replicas", "1"),
          Map.entry("transaction.state.log.min.isr", "1"),
          Map.entry("share.coordinator.state.topic.min.isr", "1"),
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

  /** The whole configuration of one node of {@code all}. */
  static Map<String, String> of(
      NodePlace place, List<NodePlace> all, Map<String, String> overrides) {
    Map<String, String> properties = new HashMap<>(NO_WAITING);
    properties.putAll(LIGHT);
    String replicas = Integer.toString(all.size());
    properties.put("default.replication.factor", replicas);
    properties.put("offsets.topic.replication.factor", replicas);
    properties.put("transaction.state.log.replication.factor", replicas);
    properties.put("share.coordinator.state.topic.replication.factor", replicas);
    properties.putAll(overrides);
    properties.putAll(wiring(place, all));
    return properties;
  }

  private static Map<String, String> wiring(NodePlace place, List<NodePlace> all) {
    String broker = listener(BROKER_LISTENER, place.brokerPort());
    String voters =
        all.stream()
            .map(p -> p.id() + "@" + ReservedPort.HOST + ":" + p.controllerPort())
            .collect(Collectors.joining(","));
    return Map.of(
        "process.roles",
        "broker,controller",
        "node.id",
        Integer.toString(place.id()),
        "listeners",
        broker + "," + listener(CONTROLLER_LISTENER, place.controllerPort()),
        "advertised.listeners",
        broker,
        "listener.security.protocol.map",
        BROKER_LISTENER + ":PLAINTEXT," + CONTROLLER_LISTENER + ":PLAINTEXT",
        "inter.broker.listener.name",
        BROKER_LISTENER,
        "controller.listener.names",
        CONTROLLER_LISTENER,
        "controller.quorum.voters",
        voters,
        "log.dirs",
        place.directory().toString());
  }

  private static String listener(String name, int port) {
    return name + "://" + ReservedPort.HOST + ":" + port;
  }
}
