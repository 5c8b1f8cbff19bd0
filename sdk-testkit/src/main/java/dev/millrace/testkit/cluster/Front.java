package dev.millrace.testkit.cluster;

import java.net.InetSocketAddress;

/** Stands before a broker: clients are told its port and never learn the broker's own. */
interface Front extends AutoCloseable {
  /** The port of 127.0.0.1 it listens on. */
  int port();

  @Override
  void close();

  /** Puts one before each broker. Called before the broker listens, once in a node's life. */
  interface Factory {
    Front inFrontOf(int nodeId, InetSocketAddress broker);
  }
}
