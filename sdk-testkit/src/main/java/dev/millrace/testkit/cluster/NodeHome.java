package dev.millrace.testkit.cluster;

import dev.millrace.testkit.internal.TempDirectory;
import dev.millrace.testkit.proxy.FaultProxy;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.apache.kafka.metadata.storage.Formatter;
import org.apache.kafka.server.common.MetadataVersion;
import org.jspecify.annotations.Nullable;

/**
 * The ports and disks of one node, and what stands before it. They last until {@link #close()},
 * while its servers come and go.
 *
 * <p>Not thread-safe but for {@link #openServerSocket}: one caller at a time.
 */
final class NodeHome implements AutoCloseable {
  private final ReservedPort brokerPort = new ReservedPort();
  private final ReservedPort clientPort = new ReservedPort();
  private final ReservedPort controllerPort = new ReservedPort();
  private final int id;
  private final Path directory;

  private @Nullable FaultProxy proxy;

  NodeHome(int id, Path directory) {
    this.id = id;
    this.directory = directory;
  }

  int id() {
    return id;
  }

  NodePlace place() {
    return new NodePlace(
        id,
        brokerPort.port(),
        clientPort.port(),
        proxy == null ? clientPort.port() : proxy.port(),
        controllerPort.port(),
        directory);
  }

  /** Puts a proxy before the node's clients. To be called before its first start. */
  void hideBehindProxy(boolean encrypted) {
    proxy =
        encrypted
            ? FaultProxy.inFrontOfEncrypted(id, clientPort.address())
            : FaultProxy.inFrontOf(id, clientPort.address());
  }

  /** What clients are told of instead of the broker; null when they are told of the broker. */
  @Nullable FaultProxy proxy() {
    return proxy;
  }

  /**
   * Writes the cluster's identity and its first metadata onto the node's empty disks, or onto the
   * emptied one.
   *
   * @param scramUsers in the words of {@code kafka-storage --add-scram}
   */
  void format(String clusterId, List<String> scramUsers) throws Exception {
    Files.createDirectories(place().topics());
    Files.createDirectories(place().metadata());
    new Formatter()
        .setNodeId(id)
        .setClusterId(clusterId)
        .setDirectories(List.of(place().topics().toString(), place().metadata().toString()))
        .setMetadataLogDirectory(place().metadata().toString())
        .setControllerListenerName(BrokerProperties.CONTROLLER_LISTENER)
        .setReleaseVersion(MetadataVersion.LATEST_PRODUCTION)
        .setScramArguments(scramUsers)
        .setIgnoreFormatted(true)
        .setPrintStream(new PrintStream(OutputStream.nullOutputStream()))
        .run();
  }

  /**
   * Puts an empty disk, formatted for the same cluster, in the place of the one with the topics.
   */
  void wipe(String clusterId) throws Exception {
    TempDirectory.delete(place().topics());
    format(clusterId, List.of());
  }

  /** Lets a server in this JVM listen on one of the ports. */
  ServerSocketChannel openServerSocket(InetSocketAddress address) throws IOException {
    return ports()
        .filter(port -> port.port() == address.getPort())
        .findFirst()
        .orElseThrow(() -> new IOException("Node " + id + " has no port " + address.getPort()))
        .listen();
  }

  /** Lets a server in another process listen on the ports. */
  void lendPorts() {
    ports().forEach(ReservedPort::lend);
  }

  /** Takes the ports back from servers that have ended. */
  void holdPorts() {
    ports().forEach(ReservedPort::hold);
  }

  /** Gives the ports back. The servers must have ended. */
  @Override
  public void close() {
    if (proxy != null) {
      proxy.close();
    }
    ports().forEach(ReservedPort::close);
  }

  private Stream<ReservedPort> ports() {
    return Stream.of(brokerPort, clientPort, controllerPort);
  }
}
