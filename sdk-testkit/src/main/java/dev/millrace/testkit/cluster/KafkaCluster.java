package dev.millrace.testkit.cluster;

import dev.millrace.testkit.TestKitException;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.types.Password;

/**
 * A real Kafka for tests: brokers and controllers (KRaft) on free ports of 127.0.0.1, with their
 * data in a temporary directory.
 *
 * <pre>{@code
 * try (KafkaCluster kafka = KafkaCluster.start()) {
 *   kafka.createTopic("orders", 4);
 *   ... kafka.bootstrapServers() ...
 * }
 * }</pre>
 *
 * <p>The brokers run in this JVM, or where the system property {@value ClusterKind#PROPERTY} says:
 * see {@link ClusterKind}. A test that needs one kind names it in the {@link #builder()}.
 *
 * <p>It is configured for tests: it starts in seconds, groups form without delay, internal topics
 * have one partition, topics are not created by mere use. With three nodes or more, topics have
 * three replicas or more, of which two must be in sync, and a broker that vanishes is replaced
 * within seconds. Classic, consumer and share groups and transactions work. Several can run in one
 * JVM at once.
 *
 * <p>A fatal fault of an embedded broker is logged and stops the thread it hits; it never exits the
 * JVM. A Kafka still open when the JVM ends is closed then; processes end by themselves when the
 * JVM is killed.
 *
 * <p>Thread-safe. Every method returns within a bound: what waits for a broker throws {@link
 * TestKitException} when the broker does not answer in time.
 */
public final class KafkaCluster implements AutoCloseable {
  private final ClusterKind kind;
  private final Backend backend;
  private final AtExit atExit;
  private final Duration startTimeout;
  private final Admin admin;
  private final TopicAdmin topics;
  private final ClusterView view;
  private boolean closed;

  private KafkaCluster(ClusterKind kind, Backend backend, AtExit atExit, Duration startTimeout) {
    this.kind = kind;
    this.backend = backend;
    this.atExit = atExit;
    this.startTimeout = startTimeout;
    this.admin =
        Admin.create(
            Map.of(
                "bootstrap.servers",
                backend.directServers(),
                "client.id",
                "millrace-testkit",
                // A broker that stands still takes the request with it: ask another one soon.
                "request.timeout.ms",
                "10000"));
    this.topics = new TopicAdmin(admin);
    this.view = new ClusterView(admin);
  }

  /**
   * Starts one broker with the kit's defaults.
   *
   * @throws TestKitException if it does not start; nothing is left behind then
   * @throws org.opentest4j.TestAbortedException if it would run in a container and there is no
   *     container engine: the test is skipped
   */
  public static KafkaCluster start() {
    return builder().start();
  }

  static KafkaCluster start(ClusterKind kind, ClusterSpec spec) {
    Backend backend = spec.backend(kind);
    AtExit atExit = AtExit.close(backend);
    try {
      backend.start();
      KafkaCluster cluster = new KafkaCluster(kind, backend, atExit, spec.startTimeout());
      try {
        cluster.view.await(cluster.ids(), spec.startTimeout());
        return cluster;
      } catch (RuntimeException | Error e) {
        cluster.close();
        throw e;
      }
    } catch (RuntimeException | Error e) {
      backend.close();
      atExit.cancel();
      throw e;
    }
  }

  /** Returns a builder for a Kafka with other properties, of another kind or with more nodes. */
  public static KafkaClusterBuilder builder() {
    return new KafkaClusterBuilder();
  }

  /** Returns where the brokers run. */
  public ClusterKind kind() {
    return kind;
  }

  /**
   * Returns the addresses for clients, {@code host:port} joined by commas; they never change. Where
   * the builder switched security on, clients need {@link #clientProperties()} too.
   */
  public String bootstrapServers() {
    return backend.bootstrapServers();
  }

  /**
   * Returns the addresses by which the brokers themselves talk: without security, and past any
   * proxy before the brokers. They are for looking at what happened, not for what is under test. In
   * a Kafka the kit did not configure they are the same as {@link #bootstrapServers()}.
   */
  public String directServers() {
    return backend.directServers();
  }

  /**
   * Returns all settings a plain client needs to be let in, as the first of the builder's users if
   * there are any: {@code bootstrap.servers}, {@code security.protocol}, {@code sasl.*}, {@code
   * ssl.*}. Secrets are {@link Password}s, which Kafka clients take as they are and whose text is
   * {@code [hidden]}; all others are strings. Files they name last until {@link #close()}.
   */
  public Map<String, Object> clientProperties() {
    return withServers(backend.access().settings());
  }

  /**
   * Returns the settings of one user.
   *
   * @throws IllegalArgumentException if the builder had none of this name
   * @see #clientProperties()
   */
  public Map<String, Object> clientProperties(String userName) {
    return withServers(backend.access().settings(userName));
  }

  private Map<String, Object> withServers(Map<String, Object> settings) {
    Map<String, Object> all = new HashMap<>(settings);
    all.put("bootstrap.servers", bootstrapServers());
    return Map.copyOf(all);
  }

  /** Returns the brokers, by id. */
  public List<ClusterNode> nodes() {
    return backend.nodes();
  }

  /**
   * Returns one broker.
   *
   * @throws IllegalArgumentException if there is none with this id
   */
  public ClusterNode node(int id) {
    return nodes().stream()
        .filter(node -> node.id() == id)
        .findFirst()
        .orElseThrow(
            () -> new IllegalArgumentException("There is no node " + id + ", only " + ids()));
  }

  /**
   * Returns the broker that leads a partition now.
   *
   * @throws TestKitException if there is no such partition, or it has no leader at the moment
   */
  public ClusterNode leaderOf(TopicPartition partition) {
    return node(view.leaderOf(partition));
  }

  /**
   * Returns the broker that coordinates a group now, whether or not the group exists yet.
   *
   * @throws TestKitException if no group was ever used here, or the coordinator is just moving
   */
  public ClusterNode coordinatorOf(String groupId) {
    return node(view.coordinatorOf(groupId));
  }

  /** Returns a shared client for administration. It is closed with this Kafka: do not close it. */
  public Admin admin() {
    return admin;
  }

  /**
   * Creates a topic with the broker's default settings.
   *
   * @see #createTopic(String, int, Map)
   */
  public void createTopic(String name, int partitions) {
    createTopic(name, partitions, Map.of());
  }

  /**
   * Creates a topic, replicated to every node, and returns when each partition has its leader.
   *
   * @param partitions 1 or more
   * @param configs the topic's own settings, such as {@code cleanup.policy}
   * @throws TestKitException if the broker refuses, with its reason as the cause
   */
  public void createTopic(String name, int partitions, Map<String, String> configs) {
    topics.create(name, partitions, configs);
  }

  /**
   * Deletes a topic and all it holds, and returns when clients no longer see it. Does nothing when
   * there is no such topic.
   *
   * @throws TestKitException if the broker refuses, with its reason as the cause
   */
  public void deleteTopic(String name) {
    topics.delete(List.of(name));
  }

  /**
   * Deletes topics and all they hold, and returns when clients no longer see them. What is not
   * there is as good as deleted.
   *
   * @throws TestKitException if the broker refuses, with its reason as the cause
   */
  public void deleteTopics(Collection<String> names) {
    topics.delete(names);
  }

  /** Returns the names of the topics there are, without Kafka's own. */
  public Set<String> topicNames() {
    return topics.names();
  }

  /**
   * Stops all brokers in order, as an operator would: they hand over, close their files and leave.
   * Port and data are kept, and clients are refused until {@link #startBroker()}. Does nothing when
   * they are stopped already.
   *
   * @throws UnsupportedOperationException for brokers in a container or external ones
   * @throws IllegalStateException after {@link #close()}
   */
  public void stopBroker() {
    requireOpen();
    backend.stop();
  }

  /**
   * Starts all brokers that do not run, on the same ports and data. Does nothing when all run.
   *
   * @throws TestKitException if they do not start
   * @throws IllegalStateException after {@link #close()}
   */
  public void startBroker() {
    requireOpen();
    backend.start();
    view.await(ids(), startTimeout);
  }

  /**
   * Stops what the kit started and removes all it had: threads, processes, ports, data. A second
   * call does nothing.
   */
  @Override
  public void close() {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
    }
    try {
      admin.close(Duration.ofSeconds(5));
    } finally {
      backend.close();
      atExit.cancel();
    }
  }

  private Set<Integer> ids() {
    return nodes().stream().map(ClusterNode::id).collect(Collectors.toSet());
  }

  private synchronized void requireOpen() {
    if (closed) {
      throw new IllegalStateException("This Kafka is closed");
    }
  }
}
