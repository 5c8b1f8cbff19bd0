package dev.millrace.testkit.proxy;

import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.common.protocol.ApiKeys;

/**
 * Which requests a rule is for: {@code Requests.of(END_TXN).fromClient("orders").first(1)}.
 * Immutable.
 *
 * @param apis the kinds of request; not empty
 * @param clientId the only {@code client.id} whose requests count, or empty for any
 * @param limit how many requests, from the first on; {@link Integer#MAX_VALUE} for all
 */
public record Requests(Set<ApiKeys> apis, Optional<String> clientId, int limit) {
  /**
   * Makes one.
   *
   * @throws IllegalArgumentException for no API at all, or a limit below 1
   */
  public Requests {
    apis = Set.copyOf(apis);
    if (apis.isEmpty()) {
      throw new IllegalArgumentException("A rule needs at least one API");
    }
    if (limit < 1) {
      throw new IllegalArgumentException("A rule is for the first 1 or more, not " + limit);
    }
  }

  /** Returns all requests of these APIs, from any client. */
  public static Requests of(ApiKeys api, ApiKeys... more) {
    return new Requests(EnumSet.of(api, more), Optional.empty(), Integer.MAX_VALUE);
  }

  /** Returns these requests, but only those with this {@code client.id}. */
  public Requests fromClient(String id) {
    return new Requests(apis, Optional.of(id), limit);
  }

  /**
   * Returns these requests, but only the first {@code count} of them, counted over all connections.
   *
   * @param count 1 or more
   */
  public Requests first(int count) {
    return new Requests(apis, clientId, count);
  }

  boolean include(RequestHead request) {
    return apis.contains(request.api())
        && (clientId.isEmpty() || clientId.get().equals(request.clientId()));
  }

  @Override
  public String toString() {
    return (limit == Integer.MAX_VALUE ? "all " : "the first " + limit + " ")
        + apis
        + clientId.map(id -> " from client '" + id + "'").orElse("");
  }
}
