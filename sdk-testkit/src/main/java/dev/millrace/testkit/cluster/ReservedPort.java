package dev.millrace.testkit.cluster;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.NetworkChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import org.apache.kafka.server.ServerSocketFactory;

/**
 * A port of 127.0.0.1 that stays ours from the moment it is chosen until {@link #close()}.
 *
 * <p>The system chooses a free port by binding it, and the bound socket itself is handed to the
 * broker: there is no moment between "free" and "bound" in which somebody else could take it. While
 * the broker is stopped the port is held by a socket that does not listen, so clients are refused
 * as by a dead broker, yet no outgoing connection of this machine (a client that retries, above
 * all) is given the port as its own.
 *
 * <p>Thread-safe.
 */
final class ReservedPort implements AutoCloseable {
  static final String HOST = "127.0.0.1";

  private static final int KAFKA_DEFAULT = -1;

  private final int port;

  /**
   * The socket that has the port now: one waiting for the broker, the broker's, or a silent one.
   */
  private NetworkChannel owner;

  private boolean lent;

  ReservedPort() {
    try {
      ServerSocketChannel listening = listen(0);
      owner = listening;
      port = listening.socket().getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException("No free port on " + HOST, e);
    }
  }

  int port() {
    return port;
  }

  /** Lends the listening socket to the broker, which may close it itself. */
  synchronized ServerSocketChannel lend() throws IOException {
    if (!(owner instanceof ServerSocketChannel) || lent) {
      owner.close();
      owner = listen(port);
    }
    lent = true;
    return (ServerSocketChannel) owner;
  }

  /** Takes the port back from a stopped broker and keeps it silent. */
  synchronized void hold() throws IOException {
    if (!lent) {
      return;
    }
    owner.close();
    owner = silent(port);
    lent = false;
  }

  @Override
  public synchronized void close() {
    try {
      owner.close();
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot release port " + port, e);
    }
  }

  private static ServerSocketChannel listen(int port) throws IOException {
    return ServerSocketFactory.INSTANCE.openServerSocket(
        "loopback", address(port), KAFKA_DEFAULT, KAFKA_DEFAULT);
  }

  private static NetworkChannel silent(int port) throws IOException {
    SocketChannel channel = SocketChannel.open();
    try {
      // Connections of the stopped broker still linger on the port; that must not matter.
      channel.setOption(StandardSocketOptions.SO_REUSEADDR, true);
      return channel.bind(address(port));
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  private static InetSocketAddress address(int port) throws IOException {
    return new InetSocketAddress(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}), port);
  }
}
