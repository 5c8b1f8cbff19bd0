package dev.millrace.testkit.proxy;

import dev.millrace.testkit.proxy.ProxyEvent.What;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Lets each request meet its rule on the way to the broker. */
final class RequestCheckpoint implements Checkpoint {
  private static final Logger LOG = LoggerFactory.getLogger(RequestCheckpoint.class);

  private final FaultRules rules;
  private final InFlight inFlight;
  private final Connection connection;
  private final Witness witness;

  RequestCheckpoint(FaultRules rules, InFlight inFlight, Connection connection, Witness witness) {
    this.rules = rules;
    this.inFlight = inFlight;
    this.connection = connection;
    this.witness = witness;
  }

  @Override
  public Passage pass(Piece piece) throws InterruptedException {
    return switch (piece.kind()) {
      case FRAME_START -> passRequest(RequestHead.of(piece.bytes()), piece.arrivedAt());
      case FRAME_REST -> Passage.FREE;
      case OPAQUE -> passOpaque();
    };
  }

  private Passage passRequest(RequestHead request, long arrivedAt) throws InterruptedException {
    FaultRule rule = rules.claim(request);
    if (rule == null) {
      inFlight.add(request, null);
      return Passage.FREE;
    }
    return switch (rule.action()) {
      case DELAY -> delay(request, rule, arrivedAt);
      case HOLD -> hold(request, rule);
      case DROP_REQUEST -> drop(request, rule);
      case DROP_RESPONSE -> {
        inFlight.add(request, rule);
        yield Passage.FREE;
      }
    };
  }

  /** Counted from its arrival, so requests behind one another are late together and not in sum. */
  private Passage delay(RequestHead request, FaultRule rule, long arrivedAt)
      throws InterruptedException {
    rule.keeps(connection);
    try {
      rule.awaitDue(arrivedAt + rule.delay().toNanos());
    } catch (InterruptedException e) {
      witness.saw(What.REQUEST_DROPPED, request, "its connection ended while it was delayed");
      rule.hit();
      throw e;
    }
    CountDownLatch witnessed = inFlight.addTouched(request, rule);
    return Passage.witnessed(
        () -> {
          witness.saw(What.DELAYED, request, "by " + millisSince(arrivedAt) + whereTheClientIs());
          rule.hit();
          witnessed.countDown();
        });
  }

  private Passage hold(RequestHead request, FaultRule rule) throws InterruptedException {
    long since = System.nanoTime();
    rule.keeps(connection);
    witness.saw(What.HELD, request, "");
    rule.hit();
    try {
      rule.awaitRelease();
    } catch (InterruptedException e) {
      witness.saw(What.REQUEST_DROPPED, request, "its connection ended while it was held");
      throw e;
    }
    CountDownLatch witnessed = inFlight.addTouched(request, rule);
    return Passage.witnessed(
        () -> {
          witness.saw(What.RELEASED, request, "after " + millisSince(since) + whereTheClientIs());
          witnessed.countDown();
        });
  }

  private Passage drop(RequestHead request, FaultRule rule) {
    witness.saw(What.REQUEST_DROPPED, request, "");
    rule.hit();
    if (rule.afterwards() == Afterwards.CUT) {
      connection.cut("its request was dropped");
    }
    return Passage.CLOSED;
  }

  private Passage passOpaque() {
    List<FaultRule> blind = rules.active();
    if (blind.isEmpty()) {
      return Passage.FREE;
    }
    blind.forEach(rule -> rule.metUnreadable(witness.toString()));
    LOG.error("Cut the {}: it can't be read, but rules on requests are set: {}", witness, blind);
    connection.cut("rules on requests can't see into it");
    return Passage.CLOSED;
  }

  private String whereTheClientIs() {
    return connection.clientLeft() ? ", the client had left" : ", the client was still there";
  }

  private static String millisSince(long since) {
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - since) + " ms";
  }
}
