package dev.millrace.testkit.cluster;

import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.common.security.auth.SecurityProtocol;
import org.apache.kafka.metadata.authorizer.StandardAuthorizer;
import org.jspecify.annotations.Nullable;

/** What the listener for clients asks of them. The listeners for brokers and kit ask nothing. */
record Security(boolean tls, List<User> users, boolean acls) {
  private static final String LISTENER =
      "listener.name." + BrokerProperties.CLIENT_LISTENER.toLowerCase(Locale.ROOT) + ".";

  Security {
    users = List.copyOf(users);
    if (acls && users.isEmpty()) {
      throw new IllegalStateException(
          "acls() needs at least one user(...): without users all clients are the same nobody");
    }
  }

  boolean isOpen() {
    return !tls && users.isEmpty();
  }

  SecurityProtocol protocol() {
    if (users.isEmpty()) {
      return tls ? SecurityProtocol.SSL : SecurityProtocol.PLAINTEXT;
    }
    return tls ? SecurityProtocol.SASL_SSL : SecurityProtocol.SASL_PLAINTEXT;
  }

  /**
   * The users that the first metadata of the cluster holds: every broker knows them before it
   * serves its first client, so no login meets a broker that has not heard of its user yet.
   */
  List<String> scramUsers() {
    return users.stream()
        .filter(user -> user.mechanism() != SaslMechanism.PLAIN)
        .map(User::scramArgument)
        .toList();
  }

  /** The broker's side; {@code stores} when there is TLS. */
  Map<String, String> brokerProperties(@Nullable TlsStores stores) {
    Map<String, String> properties = new HashMap<>();
    if (stores != null) {
      properties.putAll(stores.brokerProperties(LISTENER));
    }
    if (!users.isEmpty()) {
      properties.putAll(logins());
    }
    if (acls) {
      properties.put("authorizer.class.name", StandardAuthorizer.class.getName());
      // Who is not asked for a name: other brokers and the kit, on listeners nobody else knows.
      properties.put("super.users", "User:ANONYMOUS");
      properties.put("allow.everyone.if.no.acl.found", "false");
    }
    return properties;
  }

  private Map<String, String> logins() {
    Map<SaslMechanism, List<User>> byMechanism =
        users.stream().collect(Collectors.groupingBy(User::mechanism));
    Map<String, String> properties = new HashMap<>();
    properties.put(
        LISTENER + "sasl.enabled.mechanisms",
        byMechanism.keySet().stream()
            .map(SaslMechanism::kafkaName)
            .collect(Collectors.joining(",")));
    byMechanism.forEach(
        (mechanism, members) ->
            properties.put(
                LISTENER + mechanism.kafkaName().toLowerCase(Locale.ROOT) + ".sasl.jaas.config",
                brokerLogin(mechanism, members)));
    return properties;
  }

  private static String brokerLogin(SaslMechanism mechanism, List<User> users) {
    String known =
        mechanism == SaslMechanism.PLAIN
            ? users.stream().map(user -> " " + user.plainOption()).collect(Collectors.joining())
            : "";
    return mechanism.loginModule() + " required" + known + ";";
  }
}
