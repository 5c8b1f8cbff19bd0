package dev.millrace.testkit.proxy;

import dev.millrace.testkit.TestKitException;
import dev.millrace.testkit.internal.Poll;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A fault on chosen requests, in force until it has met as many as it is for, or is removed.
 *
 * <p>Thread-safe. {@link #hits()} and {@link #awaitHit} throw a {@link TestKitException} when the
 * rule met a connection it can't read because it is encrypted; that connection was cut.
 */
public final class FaultRule {
  /** What is done to the requests. */
  enum Action {
    DELAY,
    HOLD,
    DROP_REQUEST,
    DROP_RESPONSE
  }

  private final Requests requests;
  private final Action action;
  private final Duration delay;
  private final Afterwards afterwards;
  private final CountDownLatch released = new CountDownLatch(1);

  private int claims;
  private int hits;
  private boolean removed;
  private @Nullable String unreadable;

  /** Those with a request that the rule held or delayed. */
  private final Set<Connection> kept = new HashSet<>();

  private FaultRule(Requests requests, Action action, Duration delay, Afterwards afterwards) {
    this.requests = requests;
    this.action = action;
    this.delay = delay;
    this.afterwards = afterwards;
  }

  static FaultRule delay(Requests requests, Duration delay) {
    if (delay.isNegative() || delay.isZero()) {
      throw new IllegalArgumentException("A delay must be positive, not " + delay);
    }
    return new FaultRule(requests, Action.DELAY, delay, Afterwards.SILENT);
  }

  static FaultRule hold(Requests requests) {
    return new FaultRule(requests, Action.HOLD, Duration.ZERO, Afterwards.SILENT);
  }

  static FaultRule dropRequest(Requests requests, Afterwards afterwards) {
    return new FaultRule(requests, Action.DROP_REQUEST, Duration.ZERO, afterwards);
  }

  static FaultRule dropResponse(Requests requests, Afterwards afterwards) {
    return new FaultRule(requests, Action.DROP_RESPONSE, Duration.ZERO, afterwards);
  }

  /** Returns on how many requests the rule has had its effect; each has its event. */
  public synchronized int hits() {
    requireReadable();
    return hits;
  }

  /**
   * Waits for the first effect.
   *
   * @throws AssertionError if there is none after {@code timeout}
   */
  public void awaitHit(Duration timeout) {
    if (Poll.until(timeout, this::hits, seen -> seen > 0) == 0) {
      throw new AssertionError("The rule to " + this + " met no request in " + timeout);
    }
  }

  /**
   * Ends the rule for requests to come. What it holds stays held until {@link #release()}; what it
   * delays comes in its time.
   */
  public synchronized void remove() {
    removed = true;
  }

  /**
   * Ends the rule and lets the broker have what it holds or delays at once, also when the client
   * has left.
   */
  public void release() {
    remove();
    released.countDown();
  }

  /**
   * Waits until all clients have left of which the rule has held or delayed a request: what is
   * released then comes too late for them. That a client closed its connection does not mean that
   * the proxy has seen it.
   *
   * @throws AssertionError if one is still there after {@code timeout}
   */
  public void awaitClientsLeft(Duration timeout) {
    long there = Poll.until(timeout, this::clientsThere, count -> count == 0);
    if (there > 0) {
      throw new AssertionError(
          "After %s, %d clients are still there of which the rule to %s keeps or kept a request"
              .formatted(timeout, there, this));
    }
  }

  private synchronized long clientsThere() {
    requireReadable();
    return kept.stream().filter(c -> !c.clientLeft() && !c.ended()).count();
  }

  @Override
  public String toString() {
    return switch (action) {
      case DELAY -> "delay " + requests + " by " + delay;
      case HOLD -> "hold " + requests;
      case DROP_REQUEST -> "drop " + requests;
      case DROP_RESPONSE -> "drop the responses to " + requests;
    };
  }

  Action action() {
    return action;
  }

  Duration delay() {
    return delay;
  }

  Afterwards afterwards() {
    return afterwards;
  }

  /** Whether the rule still looks for requests. */
  synchronized boolean active() {
    return !removed && claims < requests.limit();
  }

  /** Takes the request as one of those the rule is for, if it is. */
  synchronized boolean claim(RequestHead request) {
    boolean mine = active() && requests.include(request);
    if (mine) {
      claims++;
    }
    return mine;
  }

  /** The claimed request was lost without an effect of this rule: another may take its place. */
  synchronized void giveBack() {
    claims--;
  }

  synchronized void hit() {
    hits++;
  }

  /** The connection waits behind one of its requests until the release, or for the delay. */
  synchronized void keeps(Connection connection) {
    kept.add(connection);
  }

  void awaitRelease() throws InterruptedException {
    released.await();
  }

  /** Waits until {@code due} by {@link System#nanoTime}, or for the release. */
  void awaitDue(long due) throws InterruptedException {
    var unused = released.await(due - System.nanoTime(), TimeUnit.NANOSECONDS);
  }

  /** Whoever asks about the rule shall learn that it was blind. */
  synchronized void metUnreadable(String connection) {
    unreadable =
        "The rule to %s can't see into the %s: it is encrypted or not Kafka's protocol."
                .formatted(this, connection)
            + " Rules on requests need a PLAINTEXT or SASL_PLAINTEXT listener";
  }

  private void requireReadable() {
    if (unreadable != null) {
      throw new TestKitException(unreadable, null);
    }
  }
}
