package dev.millrace.testkit.proxy;

import java.time.Instant;
import java.util.Set;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * An effect a fault had. What had no effect has no event. Immutable.
 *
 * @param what the effect
 * @param node the broker's node id
 * @param connection the number of the client's connection, from 1 in the order of arrival
 * @param client the client's address, {@code host:port}
 * @param nanoTime {@link System#nanoTime} when the effect happened, or began
 * @param time the same by the wall clock
 * @param api the request's kind; null when the effect was not on a single request
 * @param apiVersion the request's version; 0 without {@code api}
 * @param correlationId the request's number on its connection; 0 without {@code api}
 * @param clientId the request's {@code client.id}; null without one
 * @param answer the error codes in the broker's answer; empty when there was no answer, or one too
 *     large to look into (64 KiB). {@code NONE} also answers a repetition of what was done before,
 *     so of several only what is in the log tells how often it was done
 * @param bytes how many were affected up to now, when the effect was on a stream of bytes; else 0
 * @param note more about it, in words
 */
public record ProxyEvent(
    What what,
    int node,
    int connection,
    String client,
    long nanoTime,
    Instant time,
    @Nullable ApiKeys api,
    short apiVersion,
    int correlationId,
    @Nullable String clientId,
    Set<Errors> answer,
    long bytes,
    String note) {
  /** The kinds of effect. */
  public enum What {
    /** A connection was reset (RST) on both sides. */
    CUT,
    /** A new connection was reset at once. */
    REFUSED,
    /**
     * Bytes of one direction, or its end, were accepted and thrown away. This and the other effects
     * on bytes have one event for each direction and each state the line was put into.
     */
    BLACKHOLED,
    /** As {@link #BLACKHOLED}, but after a frame of this connection was dropped. */
    SILENCED,
    /** Bytes of one direction waited for the line's latency. */
    LATE,
    /** Bytes of one direction waited for the line's throttle. */
    THROTTLED,
    /** A request was delivered to the broker after the delay of a rule. */
    DELAYED,
    /** A request stands here and the broker does not see it. */
    HELD,
    /** A request that was held has been delivered to the broker. */
    RELEASED,
    /** A request was not delivered to the broker, and never will be. */
    REQUEST_DROPPED,
    /** The broker answered a request, and the answer was thrown away. */
    RESPONSE_DROPPED,
    /**
     * The broker answered a request that a rule had held or delayed, and the client had left: the
     * proof that the broker dealt with it after its client had given it up. Whether it did what was
     * asked, the answer says.
     */
    UNDELIVERED
  }

  public ProxyEvent {
    answer = Set.copyOf(answer);
  }

  /** Returns whether this is such an effect on a request of this kind. */
  public boolean is(What kind, ApiKeys ofApi) {
    return what == kind && api == ofApi;
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    text.append(time).append(" node ").append(node);
    text.append(" connection ").append(connection).append(" (").append(client).append("): ");
    text.append(what);
    if (api != null) {
      text.append(' ').append(new RequestHead(api, apiVersion, correlationId, clientId));
    }
    if (bytes > 0) {
      text.append(", ").append(bytes).append(" bytes");
    }
    if (!answer.isEmpty()) {
      text.append(", answered ").append(answer);
    }
    if (!note.isEmpty()) {
      text.append(", ").append(note);
    }
    return text.toString();
  }
}
