package dev.millrace.testkit.cluster;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A node in this JVM. */
final class EmbeddedNode implements LocalNode {
  private final NodeHome home;

  private volatile @Nullable BrokerServers servers;

  EmbeddedNode(NodeHome home) {
    this.home = home;
  }

  @Override
  public NodeHome home() {
    return home;
  }

  @Override
  public boolean running() {
    return servers != null;
  }

  @Override
  public void start(Map<String, String> properties) {
    BrokerExit.disarm();
    BrokerServers made =
        new BrokerServers(
            properties,
            BrokerExit::handler,
            (listener, address, backlog, receiveBuffer) -> home.openServerSocket(address));
    servers = made;
    made.start();
  }

  @Override
  public void leave() {
    BrokerServers leaving = servers;
    if (leaving != null) {
      leaving.stopBroker();
    }
  }

  @Override
  public void end() {
    BrokerServers ending = servers;
    if (ending != null) {
      ending.stopController();
      servers = null;
      home.holdPorts();
    }
  }

  @Override
  public void giveUp() {
    // A start in this JVM keeps its own bound, and cut short it would leave its threads behind.
  }

  @Override
  public void kill() {
    throw Unable.to("kill a node", ClusterKind.EMBEDDED, ClusterKind.PROCESS);
  }

  @Override
  public void pause() {
    throw Unable.to("pause a node", ClusterKind.EMBEDDED, ClusterKind.PROCESS);
  }

  @Override
  public void resume() {
    throw Unable.to("resume a node", ClusterKind.EMBEDDED, ClusterKind.PROCESS);
  }
}
