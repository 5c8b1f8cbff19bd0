package dev.millrace.testkit.cluster;

import dev.millrace.testkit.TestKitException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.types.Password;
import org.jspecify.annotations.Nullable;

/** What a {@link KafkaCluster} is to be. Not thread-safe. */
public final class KafkaClusterBuilder {
  private final Map<String, String> properties = new HashMap<>();
  private final List<String> jvmOptions = new ArrayList<>();
  private final List<User> users = new ArrayList<>();
  private @Nullable ClusterKind kind;
  private @Nullable String bootstrapServers;
  private boolean proxied;
  private boolean tls;
  private boolean acls;
  private int nodes = 1;
  private Duration startTimeout = Duration.ofMinutes(2);

  KafkaClusterBuilder() {}

  /** Sets where the brokers run, whatever the system property says. */
  public KafkaClusterBuilder kind(ClusterKind chosen) {
    kind = chosen;
    return this;
  }

  /**
   * Says where an external Kafka is, over the system property {@value
   * ClusterKind#BOOTSTRAP_SERVERS_PROPERTY}.
   *
   * @param addresses {@code host:port} joined by commas
   */
  public KafkaClusterBuilder bootstrapServers(String addresses) {
    bootstrapServers = addresses;
    return this;
  }

  /**
   * Sets how many nodes there are, each broker and controller in one.
   *
   * @param count 1 (the default) to 9; an even count tolerates no more failures than one less
   */
  public KafkaClusterBuilder nodes(int count) {
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
  public KafkaClusterBuilder property(String name, String value) {
    BrokerProperties.refuseOwn(name);
    properties.put(name, value);
    return this;
  }

  /**
   * Bounds a start of the brokers; two minutes by default. A start that hangs ends with an
   * exception after this time and a few seconds for putting away what it had begun.
   */
  public KafkaClusterBuilder startTimeout(Duration timeout) {
    if (timeout.isNegative() || timeout.isZero()) {
      throw new IllegalArgumentException("startTimeout must be positive, not " + timeout);
    }
    startTimeout = timeout;
    return this;
  }

  /**
   * Adds options for the JVMs of process nodes, after the kit's own ({@code -Xmx512m} and others
   * that make it light), over which they win.
   */
  public KafkaClusterBuilder jvmOptions(String... options) {
    jvmOptions.addAll(List.of(options));
    return this;
  }

  /**
   * Has clients connect by TLS only. The certificate is made for the run, for 127.0.0.1 and
   * localhost; {@link KafkaCluster#clientProperties()} makes clients trust it.
   */
  public KafkaClusterBuilder tls() {
    tls = true;
    return this;
  }

  /**
   * Adds a user, after which nobody is let in without logging in.
   *
   * @param name letters, digits, {@code . _ -}, beginning with a letter
   * @param password printable ASCII characters
   * @throws IllegalArgumentException for another name or password, or a name already added
   */
  public KafkaClusterBuilder user(String name, String password, SaslMechanism mechanism) {
    if (users.stream().anyMatch(user -> user.name().equals(name))) {
      throw new IllegalArgumentException("There is a user '" + name + "' already");
    }
    users.add(new User(name, new Password(password), mechanism));
    return this;
  }

  /**
   * Lets users do only what is granted to them, which is nothing at first; grant by {@code
   * admin().createAcls(...)}. Needs at least one user.
   */
  public KafkaClusterBuilder acls() {
    acls = true;
    return this;
  }

  /**
   * Puts a {@link dev.millrace.testkit.proxy.FaultProxy} before each broker: clients are told of it
   * instead of the broker and can't go around it. {@link ClusterNode#proxy()} has it. Brokers talk
   * to each other directly. Behind {@link #tls()} it has the faults of the line only.
   */
  public KafkaClusterBuilder proxied() {
    proxied = true;
    return this;
  }

  /**
   * Starts and returns when every node serves clients.
   *
   * @throws TestKitException if it does not start; nothing is left behind then
   * @throws UnsupportedOperationException if the kind cannot do what was asked for
   * @throws IllegalStateException if {@link #acls()} has no user to apply to
   * @throws IllegalArgumentException if a system property has no meaning
   * @throws org.opentest4j.TestAbortedException if it would run in a container and there is no
   *     container engine: the test is skipped
   */
  public KafkaCluster start() {
    return KafkaCluster.start(kind == null ? ClusterKind.ofThisRun() : kind, spec());
  }

  private ClusterSpec spec() {
    return new ClusterSpec(
        nodes,
        properties,
        startTimeout,
        jvmOptions,
        new Security(tls, users, acls),
        proxied,
        bootstrapServers);
  }
}
