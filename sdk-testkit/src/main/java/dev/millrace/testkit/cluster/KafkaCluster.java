package dev.millrace.testkit.cluster;

import dev.millrace.testkit.TestKitException;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;

/**
 * A real Kafka inside this JVM: brokers and controllers (KRaft) on free ports of 127.0.0.1, with
 * their data in a temporary directory.
 *
 * <pre>{@code
 * try (KafkaCluster kafka = KafkaCluster.start()) {
 *   kafka.createTopic("orders", 4);
 *   ... kafka.bootstrapServers() ...
 * }
 * }</pre>
 *
 * <p>It is configured for tests: it starts in seconds, groups form without delay, internal topics
 * have one partition, topics are not created by mere use. Classic, consumer and share groups and
 * transactions work. Several can run in one JVM at once.
 *
 * <p>A fatal fault of a broker is logged and stops the thread it hits; it never exits the JVM.
 *
 * <p>Thread-safe. Every method returns within a bound: what waits for a broker throws {@link
 * TestKitException} when the broker does not answer in time.
 */
public final class KafkaCluster implements AutoCloseable {
  private final EmbeddedNodes cluster;
  private final Admin admin;
  private final TopicAdmin topics;
  private boolean closed;

  private KafkaCluster(EmbeddedNodes cluster) {
    this.cluster = cluster;
    this.admin =
        Admin.create(
            Map.of(
                AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG,
                cluster.bootstrapServers(),
                AdminClientConfig.CLIENT_ID_CONFIG,
                "millrace-testkit"));
    this.topics = new TopicAdmin(admin);
  }

  /**
   * Starts one broker with the kit's defaults.
   *
   * @throws TestKitException if it does not start; nothing is left behind then
   */
  public static KafkaCluster start() {
    return builder().start();
  }

  /** Returns a builder for a Kafka with other properties or more nodes. */
  public static Builder builder() {
    return new Builder();
  }

  /** Returns the brokers' addresses, {@code host:port} joined by commas; they never change. */
  public String bootstrapServers() {
    return cluster.bootstrapServers();
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
   * @throws IllegalStateException after {@link #close()}
   */
  public synchronized void stopBroker() {
    requireOpen();
    cluster.stop();
  }

  /**
   * Starts the brokers again on the same ports and data. Does nothing when they run.
   *
   * @throws TestKitException if they do not start
   * @throws IllegalStateException after {@link #close()}
   */
  public synchronized void startBroker() {
    requireOpen();
    cluster.start();
  }

  /**
   * Stops the brokers and removes all they had: threads, ports, data. A second call does nothing.
   */
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    try {
      admin.close(Duration.ofSeconds(5));
    } finally {
      cluster.close();
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("This embedded Kafka is closed");
    }
  }

  /** What is to be started. Not thread-safe. */
  public static final class Builder {
    private final Map<String, String> properties = new HashMap<>();
    private int nodes = 1;
    private Duration startTimeout = Duration.ofSeconds(60);

    private Builder() {}

    /**
     * Sets how many nodes there are, each broker and controller in one.
     *
     * @param count 1 (the default) to 9; an even count tolerates no more failures than one less
     */
    public Builder nodes(int count) {
      if (count < 1 || count > 9) {
        throw new IllegalArgumentException("nodes must be from 1 to 9, not " + count);
      }
      nodes = count;
      return this;
    }

    /**
     * Sets a broker property on every node, over the kit's default for it.
     *
     * @throws IllegalArgumentException for a property the kit decides itself: ports, directories,
     *     roles, the time to start
     */
    public Builder property(String name, String value) {
      BrokerProperties.refuseOwn(name);
      properties.put(name, value);
      return this;
    }

    /**
     * Bounds a start of the brokers; 60 s by default. A start that hangs ends with an exception
     * after this time and a few seconds for putting away what it had begun.
     */
    public Builder startTimeout(Duration timeout) {
      if (timeout.isNegative() || timeout.isZero()) {
        throw new IllegalArgumentException("startTimeout must be positive, not " + timeout);
      }
      startTimeout = timeout;
      return this;
    }

    /**
     * Starts and returns when every node serves clients.
     *
     * @throws TestKitException if it does not start; nothing is left behind then
     */
    public KafkaCluster start() {
      EmbeddedNodes cluster = new EmbeddedNodes(nodes, properties, startTimeout);
      try {
        cluster.start();
        return new KafkaCluster(cluster);
      } catch (RuntimeException | Error e) {
        cluster.close();
        throw e;
      }
    }
  }
}
