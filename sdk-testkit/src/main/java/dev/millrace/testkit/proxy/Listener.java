package dev.millrace.testkit.proxy;

import dev.millrace.testkit.TestKitException;
import dev.millrace.testkit.proxy.ProxyEvent.What;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Takes the clients' connections on a free port of 127.0.0.1, in a thread of its own. */
final class Listener {
  private static final Logger LOG = LoggerFactory.getLogger(Listener.class);
  private static final int BACKLOG = 128;

  private final ServerSocket server;
  private final InetSocketAddress broker;
  private final Link link;
  private final EventLog log;
  private final int node;
  private final Connections connections;
  private final Factory factory;

  private int accepted;

  /** Makes a connection of a number, a socket and a witness. */
  interface Factory {
    Connection connection(int number, Socket client, Witness witness);
  }

  Listener(
      int node,
      InetSocketAddress broker,
      Link link,
      EventLog log,
      Connections connections,
      Factory factory) {
    this.node = node;
    this.broker = broker;
    this.link = link;
    this.log = log;
    this.connections = connections;
    this.factory = factory;
    try {
      server = new ServerSocket(0, BACKLOG, InetAddress.getByAddress(new byte[] {127, 0, 0, 1}));
    } catch (IOException e) {
      throw new TestKitException("No free port for the proxy of node " + node, e);
    }
  }

  int port() {
    return server.getLocalPort();
  }

  /** The thread's work; ends with {@link #close()}. */
  void listen() {
    while (!server.isClosed()) {
      try {
        take(server.accept());
      } catch (IOException e) {
        if (!server.isClosed()) {
          LOG.warn("The proxy of node {} failed to take a connection", node, e);
        }
      }
    }
  }

  private void take(Socket client) {
    int number = ++accepted;
    String address = client.getInetAddress().getHostAddress() + ":" + client.getPort();
    Witness witness = new Witness(log, node, number, address);
    if (link.now().refusing()) {
      witness.saw(What.REFUSED, "");
      Sockets.reset(client);
      return;
    }
    Connection connection = factory.connection(number, client, witness);
    if (connections.add(connection)) {
      connection.open(broker);
    } else {
      Sockets.reset(client);
    }
  }

  void close() {
    try {
      server.close();
    } catch (IOException e) {
      throw new TestKitException("Cannot release port " + port(), e);
    }
  }
}
