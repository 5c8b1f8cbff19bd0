package dev.millrace.testkit.probe;

import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.IsolationLevel;
import org.jspecify.annotations.Nullable;

/** Makes the clients of a probe from what the user gave: addresses, or properties. Immutable. */
final class ProbeClients {
  private final Map<String, Object> properties;

  private ProbeClients(Map<String, Object> properties) {
    this.properties = properties;
  }

  static ProbeClients of(String bootstrapServers) {
    return of(Map.of("bootstrap.servers", bootstrapServers));
  }

  /**
   * @throws IllegalArgumentException if there are no {@code bootstrap.servers}
   */
  static ProbeClients of(Map<String, Object> properties) {
    if (!properties.containsKey("bootstrap.servers")) {
      throw new IllegalArgumentException(
          "The client properties of a probe need bootstrap.servers; given are only "
              + properties.keySet());
    }
    return new ProbeClients(Map.copyOf(properties));
  }

  Admin admin() {
    return Admin.create(properties);
  }

  RangeReader reader(IsolationLevel isolation) {
    return new RangeReader(properties, isolation);
  }

  BatchReader batches() {
    return new BatchReader(properties);
  }

  /** Returns the user's properties with the probe's own over them. */
  static Map<String, Object> with(
      Map<String, Object> users, Map<String, ? extends @Nullable Object> own) {
    Map<String, Object> all = new HashMap<>(users);
    own.forEach((name, value) -> all.put(name, value));
    return all;
  }
}
