package dev.millrace.testkit.cluster;

import dev.millrace.testkit.TestKitException;
import dev.millrace.testkit.internal.TempDirectory;
import dev.millrace.testkit.proxy.FaultProxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.ToIntFunction;
import java.util.stream.Collectors;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/**
 * The nodes of a Kafka the kit starts itself, embedded or in processes, and the directory they
 * share.
 *
 * <p>Thread-safe: one start, stop or wipe at a time.
 */
final class LocalNodes implements Backend {
  /** Far more than a stop takes: beyond it a thread is stuck, and waiting on would not help. */
  private static final Duration STOP_BOUND = Duration.ofSeconds(30);

  /**
   * What a start gets beyond its bound. At the bound the broker gives up by itself and puts its
   * threads away in order, which it does not when it is interrupted.
   */
  private static final Duration GIVE_UP = Duration.ofSeconds(15);

  private final TempDirectory directory = new TempDirectory("millrace-kafka");
  private final List<LocalNode> nodes = new ArrayList<>();
  private final List<ClusterNode> handles = new ArrayList<>();
  private final String clusterId = Uuid.randomUuid().toString();
  private final String name;
  private final ClusterSpec spec;

  private @Nullable TlsStores stores;
  private volatile boolean closed;
  private boolean released;

  /** Reserves ports and formats disks; starts nothing. */
  LocalNodes(ClusterKind kind, ClusterSpec spec, Function<NodeHome, LocalNode> inside) {
    this.spec = spec;
    this.name = kind == ClusterKind.EMBEDDED ? "The embedded Kafka" : "The Kafka in processes";
    try {
      prepare(inside);
    } catch (TestKitException e) {
      close();
      throw e;
    } catch (Exception e) {
      close();
      throw new TestKitException("Cannot prepare a directory for the broker", e);
    }
  }

  private void prepare(Function<NodeHome, LocalNode> inside) throws Exception {
    if (spec.security().tls()) {
      stores = TlsStores.create(directory.path());
    }
    List<String> scramUsers = spec.security().scramUsers();
    for (int id = 1; id <= spec.nodes(); id++) {
      Path place = Files.createDirectory(directory.path().resolve("node-" + id));
      NodeHome home = new NodeHome(id, place);
      LocalNode node = inside.apply(home);
      nodes.add(node);
      handles.add(new Handle(node));
      if (spec.proxied()) {
        home.hideBehindProxy(spec.security().tls());
      }
      home.format(clusterId, scramUsers);
    }
  }

  @Override
  public String bootstrapServers() {
    return addresses(NodePlace::advertisedPort);
  }

  @Override
  public String directServers() {
    return addresses(NodePlace::brokerPort);
  }

  private String addresses(ToIntFunction<NodePlace> port) {
    return places().stream()
        .map(place -> ReservedPort.HOST + ":" + port.applyAsInt(place))
        .collect(Collectors.joining(","));
  }

  @Override
  public List<ClusterNode> nodes() {
    return List.copyOf(handles);
  }

  @Override
  public ClientAccess access() {
    return new ClientAccess(spec.security(), stores);
  }

  /** Starts every node that is not running; all at once, because they elect each other. */
  @Override
  public synchronized void start() {
    start(nodes.stream().filter(node -> !node.running()).toList());
  }

  private void start(List<LocalNode> stopped) {
    requireOpen();
    List<NodePlace> places = places();
    try {
      InParallel.run(
          name,
          "start",
          spec.startTimeout().plus(GIVE_UP),
          stopped,
          node -> node.start(properties(node.home().place(), places)));
    } catch (TestKitException e) {
      TestKitException advised =
          new TestKitException(
              e.getMessage()
                  + ". Its log (kafka.*, org.apache.kafka.*) says more; look for a wrong property,"
                  + " or give a slow machine a start timeout above "
                  + spec.startTimeout(),
              e.getCause());
      stopAfter(advised, stopped);
      throw advised;
    }
  }

  private Map<String, String> properties(NodePlace place, List<NodePlace> places) {
    return BrokerProperties.of(
        place,
        places,
        spec.properties(),
        spec.startTimeout(),
        spec.security().protocol(),
        spec.security().brokerProperties(stores));
  }

  /** A node that failed half way may have left servers running. */
  private void stopAfter(TestKitException failure, List<LocalNode> nodes) {
    try {
      stop(nodes);
    } catch (TestKitException e) {
      failure.addSuppressed(e);
    }
  }

  @Override
  public synchronized void stop() {
    requireOpen();
    stop(nodes);
  }

  private void stop(List<LocalNode> nodes) {
    try {
      InParallel.run(name, "stop", STOP_BOUND, nodes, LocalNode::leave);
    } finally {
      InParallel.run(name, "stop", STOP_BOUND, nodes, LocalNode::end);
    }
  }

  @Override
  public void close() {
    closed = true;
    nodes.forEach(LocalNode::giveUp);
    synchronized (this) {
      if (released) {
        return;
      }
      released = true;
      try (directory) {
        stop(nodes);
      } finally {
        nodes.forEach(node -> node.home().close());
      }
    }
  }

  private List<NodePlace> places() {
    return nodes.stream().map(node -> node.home().place()).toList();
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("This Kafka is closed");
    }
  }

  /** What a user holds of a node. */
  private final class Handle implements ClusterNode {
    private final LocalNode node;

    Handle(LocalNode node) {
      this.node = node;
    }

    @Override
    public int id() {
      return node.home().id();
    }

    @Override
    public boolean running() {
      return node.running();
    }

    @Override
    public void stop() {
      synchronized (LocalNodes.this) {
        requireOpen();
        LocalNodes.this.stop(List.of(node));
      }
    }

    @Override
    public void start() {
      synchronized (LocalNodes.this) {
        if (!node.running()) {
          LocalNodes.this.start(List.of(node));
        }
      }
    }

    @Override
    public void kill() {
      requireOpen();
      node.kill();
    }

    @Override
    public void pause() {
      requireOpen();
      node.pause();
    }

    @Override
    public void resume() {
      requireOpen();
      node.resume();
    }

    @Override
    public FaultProxy proxy() {
      FaultProxy proxy = node.home().proxy();
      if (proxy == null) {
        throw new IllegalStateException(
            "Node " + id() + " has no proxy; ask for them with KafkaCluster.builder().proxied()");
      }
      return proxy;
    }

    @Override
    public void wipe() {
      synchronized (LocalNodes.this) {
        requireOpen();
        if (node.running()) {
          throw new IllegalStateException("Stop or kill node " + id() + " before it is wiped");
        }
        try {
          node.home().wipe(clusterId);
        } catch (Exception e) {
          throw new TestKitException("Cannot empty the disk of node " + id(), e);
        }
      }
    }

    @Override
    public String toString() {
      return "node " + id() + " of " + directServers();
    }
  }
}
