package dev.millrace.testkit.cluster;

import java.util.List;

/**
 * The brokers behind a {@link KafkaCluster}, of one of the four kinds.
 *
 * <p>Made without starting anything. Thread-safe.
 */
interface Backend extends AutoCloseable {
  /** Starts what does not run yet and returns when it serves clients. */
  void start();

  /** Stops all brokers in order and keeps their ports and data. */
  void stop();

  /** The addresses for the tests' clients. */
  String bootstrapServers();

  /** The addresses that go past all security and whatever stands in front of the brokers. */
  String directServers();

  /** The brokers by id; known once they have started. */
  List<ClusterNode> nodes();

  /** How clients log in at {@link #bootstrapServers()}. */
  ClientAccess access();

  /**
   * Ends what the kit started and removes what it left; never fails because of a broker's state.
   */
  @Override
  void close();
}
