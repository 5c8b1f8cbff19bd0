package dev.millrace.testkit.proxy;

import dev.millrace.testkit.TestKitException;
import dev.millrace.testkit.internal.Poll;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/**
 * A TCP proxy in front of one broker, which is to be advertised as that broker. It forwards
 * everything unaltered until it is told to misbehave:
 *
 * <ul>
 *   <li>faults of the line, for all connections: cut, refuse, black hole, one way only, latency,
 *       throttle;
 *   <li>rules on chosen requests: delay, hold, drop the request, drop the response.
 * </ul>
 *
 * <pre>{@code
 * FaultRule commit = proxy.hold(Requests.of(ApiKeys.END_TXN).first(1));
 * ... the client gives up ...
 * commit.release();
 * proxy.awaitEvent(event -> event.is(UNDELIVERED, ApiKeys.END_TXN), Duration.ofSeconds(10));
 * }</pre>
 *
 * <p>Each effect of a fault is recorded, and nothing else is: a fault without an event was none.
 *
 * <p>While the broker is down, connections to the proxy are reset. Within a connection order never
 * changes: what stands behind a held or late request waits with it. One direction of one connection
 * has at most 8 MiB on its way here; beyond that the sender is made to wait.
 *
 * <p>Thread-safe. No method but those that say so waits for anything.
 */
public final class FaultProxy implements AutoCloseable {
  /** Far more than it takes: threads are only waited for until they notice. */
  private static final Duration CLOSE_BOUND = Duration.ofSeconds(10);

  private final int node;
  private final boolean encrypted;
  private final Link link = new Link();
  private final FaultRules rules = new FaultRules();
  private final EventLog log = new EventLog();
  private final Connections connections = new Connections();
  private final ProxyThreads threads;
  private final Listener listener;

  private FaultProxy(int node, InetSocketAddress broker, boolean encrypted) {
    this.node = node;
    this.encrypted = encrypted;
    this.threads = new ProxyThreads(node);
    this.listener =
        new Listener(
            node,
            broker,
            link,
            log,
            connections,
            (number, client, witness) ->
                new Connection(
                    number, client, encrypted, link, rules, witness, threads, connections));
  }

  /**
   * Starts one on a free port of 127.0.0.1. The broker need not be up.
   *
   * @throws TestKitException if there is no free port
   */
  public static FaultProxy inFrontOf(int nodeId, InetSocketAddress broker) {
    return started(new FaultProxy(nodeId, broker, false));
  }

  /**
   * Starts one in front of a broker's TLS listener. It has the faults of the line only; rules on
   * requests throw.
   *
   * @throws TestKitException if there is no free port
   */
  public static FaultProxy inFrontOfEncrypted(int nodeId, InetSocketAddress broker) {
    return started(new FaultProxy(nodeId, broker, true));
  }

  private static FaultProxy started(FaultProxy proxy) {
    proxy.threads.start("accept", proxy.listener::listen);
    return proxy;
  }

  /** Returns the broker's node id. */
  public int nodeId() {
    return node;
  }

  /** Returns the port of 127.0.0.1 on which clients are taken; it never changes. */
  public int port() {
    return listener.port();
  }

  // Faults of the line.

  /** Resets (RST) all connections there are and returns their number. New ones are taken. */
  public int cutConnections() {
    return (int) connections.now().stream().filter(c -> c.cut("all connections were cut")).count();
  }

  /** From now on resets each new connection at once. Those there are go on. */
  public void refuseConnections() {
    change(line -> line.refusing(true));
  }

  /** Takes new connections again. */
  public void acceptConnections() {
    change(line -> line.refusing(false));
  }

  /**
   * From now on delivers nothing either way, neither bytes nor the end of a connection; all is
   * accepted and thrown away. New connections are taken and meet the same.
   */
  public void blackHole() {
    change(line -> line.delivering(EnumSet.noneOf(Direction.class)));
  }

  /** As {@link #blackHole()}, but delivers what flows in this direction. */
  public void deliverOnly(Direction direction) {
    change(line -> line.delivering(EnumSet.of(direction)));
  }

  /**
   * Ends {@link #blackHole()} or {@link #deliverOnly}. Connections that lost something in it are
   * cut: their streams can't go on with a gap. The others go on.
   */
  public void deliverBothWays() {
    change(line -> line.delivering(EnumSet.allOf(Direction.class)));
  }

  /**
   * From now on everything arrives later, either way. It is a latency: what follows closely arrives
   * closely, up to the 8 MiB on their way.
   *
   * @param least 0 or more
   * @param jitter 0 or more; each piece of a stream (a frame, or 64 KiB of it) draws from 0 to this
   * @param seed of the drawing
   * @throws IllegalArgumentException if one is negative or both are zero
   */
  public void addLatency(Duration least, Duration jitter, long seed) {
    Latency latency = new Latency(least, jitter, seed);
    change(line -> line.latency(latency));
  }

  /** Ends the latency, also for what is on its way. */
  public void removeLatency() {
    change(line -> line.latency(null));
  }

  /**
   * From now on the connections together get so many bytes through in this direction.
   *
   * @param bytesPerSecond 1 or more
   * @throws IllegalArgumentException for less
   */
  public void throttle(Direction direction, long bytesPerSecond) {
    Throttle throttle = new Throttle(bytesPerSecond);
    change(line -> line.throttle(direction, throttle));
  }

  /** Ends the throttles of both directions. */
  public void removeThrottles() {
    change(LinkConditions::unthrottled);
  }

  /**
   * Ends every fault: the line's first, as {@link #deliverBothWays()} says, then all rules, and
   * what they hold or delay goes on at once.
   */
  public void heal() {
    change(line -> LinkConditions.HEALTHY);
    rules.clear();
  }

  // Rules on requests.

  /**
   * Delivers such requests to the broker this much after their arrival, also when the client has
   * left.
   *
   * @param delay positive
   * @throws IllegalArgumentException if it is not
   * @throws TestKitException if a connection is encrypted
   */
  public FaultRule delay(Requests requests, Duration delay) {
    return add(FaultRule.delay(requests, delay));
  }

  /**
   * Holds such requests back, and what their connections send after them, until {@link
   * FaultRule#release()}. The broker gets all of it then, also when the client has left.
   *
   * @throws TestKitException if a connection is encrypted
   */
  public FaultRule hold(Requests requests) {
    return add(FaultRule.hold(requests));
  }

  /**
   * Keeps such requests from the broker for ever, and what their connections send after them.
   *
   * @throws TestKitException if a connection is encrypted
   */
  public FaultRule dropRequest(Requests requests, Afterwards afterwards) {
    return add(FaultRule.dropRequest(requests, afterwards));
  }

  /**
   * Delivers such requests, and throws the broker's answer away. Without an answer there is no
   * effect: a request whose connection ends before does not count, nor one with {@code acks=0}.
   *
   * @throws TestKitException if a connection is encrypted
   */
  public FaultRule dropResponse(Requests requests, Afterwards afterwards) {
    return add(FaultRule.dropResponse(requests, afterwards));
  }

  // What was seen.

  /** Returns the effects up to now, in the order in which they happened or began. */
  public List<ProxyEvent> events() {
    return log.events();
  }

  /**
   * Waits for an event and returns the first one there is.
   *
   * @throws AssertionError if there is none after {@code timeout}, with those there are
   */
  public ProxyEvent awaitEvent(Predicate<? super ProxyEvent> wanted, Duration timeout) {
    List<ProxyEvent> seen =
        Poll.until(timeout, this::events, events -> events.stream().anyMatch(wanted));
    return seen.stream()
        .filter(wanted)
        .findFirst()
        .orElseThrow(
            () ->
                new AssertionError(
                    "The proxy of node %d saw no such event in %s, but:\n%s"
                        .formatted(node, timeout, lines(seen))));
  }

  /**
   * Ends everything: connections are reset, what is held is lost. Returns when all threads have
   * ended. A second call does nothing.
   *
   * @throws TestKitException if a thread has not ended after 10 s
   */
  @Override
  public void close() {
    try {
      listener.close();
    } finally {
      connections.close();
      threads.awaitEnd(CLOSE_BOUND);
    }
  }

  @Override
  public String toString() {
    return "proxy of node " + node + " on port " + port();
  }

  private void change(UnaryOperator<LinkConditions> change) {
    link.change(change);
    connections.now().forEach(Connection::lineChanged);
  }

  private FaultRule add(FaultRule rule) {
    if (encrypted || connections.now().stream().anyMatch(Connection::opaque)) {
      throw new TestKitException(
          ("Cannot %s at the %s: its connections are encrypted or not Kafka's protocol. Rules on"
                  + " requests need a PLAINTEXT or SASL_PLAINTEXT listener")
              .formatted(rule, this),
          null);
    }
    return rules.add(rule);
  }

  private static String lines(List<ProxyEvent> events) {
    return events.stream().map(ProxyEvent::toString).collect(Collectors.joining("\n"));
  }
}
