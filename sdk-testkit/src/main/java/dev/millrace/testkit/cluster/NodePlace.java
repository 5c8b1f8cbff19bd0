package dev.millrace.testkit.cluster;

import java.nio.file.Path;

/**
 * Where one node lives: fixed for its life, whatever stops and starts in between.
 *
 * @param brokerPort for other brokers and for the kit itself
 * @param clientPort where the broker listens for the tests' clients
 * @param advertisedPort what those clients are told, which may be a proxy's
 */
record NodePlace(
    int id,
    int brokerPort,
    int clientPort,
    int advertisedPort,
    int controllerPort,
    Path directory) {

  /** The disk that may be lost. */
  Path topics() {
    return directory.resolve("topics");
  }

  /**
   * The disk that may not: the cluster's metadata and this node's votes. A voter that forgets its
   * vote can vote twice, which no quorum survives.
   */
  Path metadata() {
    return directory.resolve("metadata");
  }
}
