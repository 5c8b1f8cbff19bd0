package dev.millrace.testkit.cluster;

import dev.millrace.testkit.proxy.FaultProxy;

/** A broker the kit may look at but does not steer. */
record ForeignNode(int id, ClusterKind kind) implements ClusterNode {
  @Override
  public boolean running() {
    throw unable("tell whether a node runs");
  }

  @Override
  public void stop() {
    throw unable("stop a node");
  }

  @Override
  public void start() {
    throw unable("start a node");
  }

  @Override
  public void kill() {
    throw unable("kill a node");
  }

  @Override
  public void pause() {
    throw unable("pause a node");
  }

  @Override
  public void resume() {
    throw unable("resume a node");
  }

  @Override
  public void wipe() {
    throw unable("empty a node's disk");
  }

  @Override
  public FaultProxy proxy() {
    throw Unable.to(
        "have a proxy put before its brokers", kind, ClusterKind.EMBEDDED, ClusterKind.PROCESS);
  }

  private UnsupportedOperationException unable(String what) {
    return Unable.to(what, kind, ClusterKind.PROCESS);
  }
}
