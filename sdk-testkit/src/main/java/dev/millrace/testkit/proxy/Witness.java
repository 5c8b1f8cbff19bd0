package dev.millrace.testkit.proxy;

import dev.millrace.testkit.proxy.ProxyEvent.What;
import java.time.Instant;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * Writes down what happens on one connection.
 *
 * <p>Thread-safe.
 */
final class Witness {
  private final EventLog log;
  private final int node;
  private final int connection;
  private final String client;

  Witness(EventLog log, int node, int connection, String client) {
    this.log = log;
    this.node = node;
    this.connection = connection;
    this.client = client;
  }

  /** An effect on the connection as a whole. */
  void saw(What what, String note) {
    ProxyEvent event = event(what, null, Set.of(), 0, note);
    log.add(() -> event);
  }

  /** An effect on a request. */
  void saw(What what, RequestHead request, String note) {
    saw(what, request, Set.of(), note);
  }

  /** An effect on a request that the broker has answered. */
  void saw(What what, RequestHead request, Set<Errors> answer, String note) {
    ProxyEvent event = event(what, request, answer, 0, note);
    log.add(() -> event);
  }

  /** An effect on bytes that has begun; the caller adds to their number as it goes on. */
  AtomicLong sees(What what, String note) {
    ProxyEvent begin = event(what, null, Set.of(), 0, note);
    AtomicLong bytes = new AtomicLong();
    log.add(
        () ->
            new ProxyEvent(
                what,
                node,
                connection,
                client,
                begin.nanoTime(),
                begin.time(),
                null,
                (short) 0,
                0,
                null,
                Set.of(),
                bytes.get(),
                note));
    return bytes;
  }

  @Override
  public String toString() {
    return "connection " + connection + " of " + client + " to node " + node;
  }

  private ProxyEvent event(
      What what, @Nullable RequestHead request, Set<Errors> answer, long bytes, String note) {
    return new ProxyEvent(
        what,
        node,
        connection,
        client,
        System.nanoTime(),
        Instant.now(),
        request == null ? null : request.api(),
        request == null ? 0 : request.version(),
        request == null ? 0 : request.correlationId(),
        request == null ? null : request.clientId(),
        answer,
        bytes,
        note);
  }
}
