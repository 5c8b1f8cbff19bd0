package dev.millrace.testkit.cluster;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.net.UnknownHostException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import org.apache.kafka.server.ServerSocketFactory;
import org.jspecify.annotations.Nullable;

/**
 * A port of 127.0.0.1 that stays ours from the moment it is chosen until {@link #close()}.
 *
 * <p>It is held by a socket that is bound but does not listen: clients are refused as by a dead
 * broker, yet the system gives the port to nobody, not even as the near end of an outgoing
 * connection. With SO_REUSEADDR on both, Linux lets one other socket listen on it beside the
 * holder, in this process or another, so there is no moment in which it is free. Where the system
 * refuses that, the holder steps aside just before somebody listens.
 *
 * <p>Thread-safe.
 */
final class ReservedPort implements AutoCloseable {
  static final String HOST = "127.0.0.1";

  private static final int KAFKA_DEFAULT = -1;
  private static final boolean CAN_BE_SHARED = canBeShared();

  private final int port;

  /** Null while it stepped aside. */
  private @Nullable SocketChannel holder;

  /** What a server of this JVM was given; null when there was none yet. */
  private @Nullable ServerSocketChannel listening;

  ReservedPort() {
    try {
      SocketChannel chosen = choose();
      holder = chosen;
      port = chosen.socket().getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException("No free port on " + HOST, e);
    }
  }

  int port() {
    return port;
  }

  InetSocketAddress address() {
    return address(port);
  }

  /** Returns a listening socket for a server of this JVM, which may close it itself. */
  synchronized ServerSocketChannel listen() throws IOException {
    lend();
    listening = listenOn(port);
    return listening;
  }

  /** Lets another process listen on the port. */
  synchronized void lend() {
    if (!CAN_BE_SHARED) {
      closeAll();
    }
  }

  /** Takes the port back from a server that has ended, or did not close it when it failed. */
  synchronized void hold() {
    try {
      if (listening != null) {
        listening.close();
      }
      if (holder == null) {
        holder = holderOf(port);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot hold port " + port, e);
    }
  }

  @Override
  public synchronized void close() {
    closeAll();
  }

  private void closeAll() {
    try {
      if (listening != null) {
        listening.close();
      }
      if (holder != null) {
        holder.close();
        holder = null;
      }
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot release port " + port, e);
    }
  }

  private static ServerSocketChannel listenOn(int port) throws IOException {
    return ServerSocketFactory.INSTANCE.openServerSocket(
        "loopback", address(port), KAFKA_DEFAULT, KAFKA_DEFAULT);
  }

  /** Chosen without SO_REUSEADDR, so that no other holder has it; then opened to a listener. */
  private static SocketChannel choose() throws IOException {
    SocketChannel channel = SocketChannel.open();
    try {
      channel.setOption(StandardSocketOptions.SO_REUSEADDR, false);
      channel.bind(address(0));
      return channel.setOption(StandardSocketOptions.SO_REUSEADDR, true);
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  private static SocketChannel holderOf(int port) throws IOException {
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

  private static boolean canBeShared() {
    try (SocketChannel holder = choose();
        ServerSocketChannel listening = listenOn(holder.socket().getLocalPort())) {
      return listening.isOpen();
    } catch (BindException e) {
      return false;
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot listen on " + HOST, e);
    }
  }

  private static InetSocketAddress address(int port) {
    try {
      return new InetSocketAddress(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}), port);
    } catch (UnknownHostException e) {
      throw new IllegalStateException("Four bytes are an address", e);
    }
  }
}
