package dev.millrace.testkit.cluster;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a client must set to be let in, beyond the addresses. */
record ClientAccess(Security security, @Nullable TlsStores stores) {
  /** For a cluster whose security is none of the kit's business. */
  static final ClientAccess OPEN = new ClientAccess(new Security(false, List.of(), false), null);

  /** The settings of the first user, or of nobody when there is none. */
  Map<String, Object> settings() {
    return security.users().isEmpty() ? common() : settings(security.users().get(0));
  }

  /**
   * The settings of one user.
   *
   * @throws IllegalArgumentException if there is none of this name
   */
  Map<String, Object> settings(String userName) {
    return security.users().stream()
        .filter(user -> user.name().equals(userName))
        .findFirst()
        .map(this::settings)
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "This Kafka has no user '%s', only %s"
                        .formatted(userName, security.users().stream().map(User::name).toList())));
  }

  private Map<String, Object> settings(User user) {
    Map<String, Object> settings = common();
    settings.put("sasl.mechanism", user.mechanism().kafkaName());
    settings.put("sasl.jaas.config", user.clientLogin());
    return settings;
  }

  private Map<String, Object> common() {
    Map<String, Object> settings = new HashMap<>();
    if (!security.isOpen()) {
      settings.put("security.protocol", security.protocol().name);
    }
    if (stores != null) {
      settings.putAll(stores.clientSettings());
    }
    return settings;
  }
}
