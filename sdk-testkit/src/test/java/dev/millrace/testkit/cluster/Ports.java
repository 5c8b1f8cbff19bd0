package dev.millrace.testkit.cluster;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Arrays;
import java.util.List;

/** Tries whether the system would give a port to somebody. */
final class Ports {
  private Ports() {}

  /** Those that clients are told of, by node. */
  static List<Integer> of(KafkaCluster kafka) {
    return in(kafka.bootstrapServers());
  }

  static List<Integer> in(String servers) {
    return Arrays.stream(servers.split(",", -1))
        .map(server -> Integer.valueOf(server.substring(server.indexOf(':') + 1)))
        .toList();
  }

  static void bind(int port) throws IOException {
    new ServerSocket(port, 1, loopback()).close();
  }

  /** What the system does when it chooses a port for an outgoing connection. */
  static void connectFrom(int port) throws IOException {
    try (Socket client = new Socket()) {
      client.setReuseAddress(false);
      client.bind(new InetSocketAddress(loopback(), port));
    }
  }

  private static InetAddress loopback() throws IOException {
    return InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
  }
}
