package dev.millrace.testkit.cluster;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** Where the brokers of a {@link KafkaCluster} run. */
public enum ClusterKind {
  /** In this JVM: the quickest to start. Brokers can be stopped in order, not killed. */
  EMBEDDED,

  /** Each node in a JVM of its own, which can be killed, stopped, continued and emptied. */
  PROCESS,

  /**
   * One node in a container, by {@code org.testcontainers:testcontainers-kafka}, which must be
   * added to the test class path. Where no container engine runs, tests are skipped.
   */
  TESTCONTAINERS,

  /** Brokers that are there already. Topics are made there; nothing is started or stopped. */
  EXTERNAL;

  /** The system property, or JUnit configuration parameter, that chooses the kind. */
  public static final String PROPERTY = "millrace.testkit.cluster";

  /** The system property, or JUnit configuration parameter, that says where an external one is. */
  public static final String BOOTSTRAP_SERVERS_PROPERTY = "millrace.testkit.bootstrap-servers";

  /**
   * Returns the kind that a value of {@link #PROPERTY} means, in letters of either case.
   *
   * @throws IllegalArgumentException if there is none, with the possible values
   */
  public static ClusterKind of(String value) {
    return Arrays.stream(values())
        .filter(kind -> kind.name().equalsIgnoreCase(value.strip()))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "%s is '%s', but can only be one of %s"
                        .formatted(PROPERTY, value, possibleValues())));
  }

  /** What the system property says; embedded when it is not set. */
  static ClusterKind ofThisRun() {
    return of(System.getProperty(PROPERTY, EMBEDDED.word()));
  }

  /** The value of {@link #PROPERTY} that means this kind. */
  String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Whether the kit starts the nodes itself and so decides how they are configured. */
  boolean isLocal() {
    return this == EMBEDDED || this == PROCESS;
  }

  private static String possibleValues() {
    return Arrays.stream(values()).map(ClusterKind::word).collect(Collectors.joining(", "));
  }
}
