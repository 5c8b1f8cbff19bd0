package dev.millrace.testkit.cluster;

import dev.millrace.testkit.TestKitException;
import org.opentest4j.TestAbortedException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Decides whether a container can be used at all, without touching a class that may be missing. */
final class Containers {
  static final String ARTIFACT = "org.testcontainers:testcontainers-kafka";

  private static final Logger LOG = LoggerFactory.getLogger(Containers.class);

  private Containers() {}

  /**
   * Returns one that has not started.
   *
   * @throws TestAbortedException if no container engine answers: the test is skipped
   * @throws TestKitException if the optional dependency is missing
   */
  static Backend backend(ClusterSpec spec) {
    try {
      if (!ContainerBackend.engineAnswers()) {
        String reason =
            "SKIPPED: %s=%s, but no container engine (Docker) answers here"
                .formatted(ClusterKind.PROPERTY, ClusterKind.TESTCONTAINERS.word());
        LOG.warn(reason);
        throw new TestAbortedException(reason);
      }
      return new ContainerBackend(spec);
    } catch (NoClassDefFoundError e) {
      throw new TestKitException(
          "%s=%s needs %s, version 2 or newer, on the test class path"
              .formatted(ClusterKind.PROPERTY, ClusterKind.TESTCONTAINERS.word(), ARTIFACT),
          e);
    }
  }
}
