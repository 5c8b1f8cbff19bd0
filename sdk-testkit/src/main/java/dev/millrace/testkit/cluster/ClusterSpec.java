package dev.millrace.testkit.cluster;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What is to be started, as the builder was told.
 *
 * @param properties over the kit's defaults, on every node
 * @param jvmOptions after the kit's own, for nodes in processes
 * @param proxied whether a {@link dev.millrace.testkit.proxy.FaultProxy} stands before each broker
 * @param bootstrapServers where an external cluster is; null for the system property
 */
record ClusterSpec(
    int nodes,
    Map<String, String> properties,
    Duration startTimeout,
    List<String> jvmOptions,
    Security security,
    boolean proxied,
    @Nullable String bootstrapServers) {
  ClusterSpec {
    properties = Map.copyOf(properties);
    jvmOptions = List.copyOf(jvmOptions);
  }

  /** Makes the backend. Nothing the builder was told is dropped: what the kind lacks is refused. */
  Backend backend(ClusterKind kind) {
    refuseWhatIsBeyond(kind);
    return switch (kind) {
      case EMBEDDED -> new LocalNodes(kind, this, EmbeddedNode::new);
      case PROCESS ->
          new LocalNodes(kind, this, home -> new ProcessNode(home, jvmOptions, startTimeout));
      case TESTCONTAINERS -> Containers.backend(this);
      case EXTERNAL -> new ExternalBackend(this);
    };
  }

  private void refuseWhatIsBeyond(ClusterKind kind) {
    if (!jvmOptions.isEmpty() && kind != ClusterKind.PROCESS) {
      throw Unable.to("take JVM options", kind, ClusterKind.PROCESS);
    }
    if (bootstrapServers != null && kind != ClusterKind.EXTERNAL) {
      throw Unable.to("be told its bootstrap servers", kind, ClusterKind.EXTERNAL);
    }
    if (!properties.isEmpty() && kind == ClusterKind.EXTERNAL) {
      throw Unable.to(
          "take broker properties",
          kind,
          ClusterKind.EMBEDDED,
          ClusterKind.PROCESS,
          ClusterKind.TESTCONTAINERS);
    }
    if (!kind.isLocal()) {
      refuse(nodes > 1, "have a number of nodes chosen", kind);
      refuse(!security.isOpen(), "have security switched on", kind);
      refuse(proxied, "have a proxy put before its brokers", kind);
    }
  }

  private static void refuse(boolean asked, String what, ClusterKind kind) {
    if (asked) {
      throw Unable.to(what, kind, ClusterKind.EMBEDDED, ClusterKind.PROCESS);
    }
  }
}
