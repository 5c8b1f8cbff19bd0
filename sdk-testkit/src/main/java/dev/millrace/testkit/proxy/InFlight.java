package dev.millrace.testkit.proxy;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/**
 * The requests of one connection that the broker has and may still answer, with the rule that
 * touched each.
 *
 * <p>Thread-safe: one thread adds, one takes, any closes.
 */
final class InFlight {
  /**
   * More than a client has unanswered, so what is older than this gets no answer: produce requests
   * with {@code acks=0}.
   */
  private static final int BOUND = 10_000;

  private final Deque<Sent> sent = new ArrayDeque<>();

  /**
   * A request, and the rule it met, if any.
   *
   * @param witnessed open when the effect on the request itself is in the log; the answer waits for
   *     it, since it may be here before the writing thread has written that down
   */
  record Sent(RequestHead request, @Nullable FaultRule rule, CountDownLatch witnessed) {}

  /** Adds a request that met no rule, or one that has its effect on the answer. */
  void add(RequestHead request, @Nullable FaultRule rule) {
    add(new Sent(request, rule, new CountDownLatch(0)));
  }

  /** Adds a request on which the rule has its effect; open the latch when that is in the log. */
  CountDownLatch addTouched(RequestHead request, FaultRule rule) {
    CountDownLatch witnessed = new CountDownLatch(1);
    add(new Sent(request, rule, witnessed));
    return witnessed;
  }

  private synchronized void add(Sent request) {
    if (sent.size() == BOUND) {
      forget(sent.remove());
    }
    sent.add(request);
  }

  /**
   * Takes out the request that is answered now. Answers come in the order of requests, so older
   * ones get none any more; null when there is no such request.
   */
  synchronized @Nullable Sent answered(int correlationId) {
    if (sent.stream().noneMatch(s -> s.request().correlationId() == correlationId)) {
      return null;
    }
    for (Iterator<Sent> oldest = sent.iterator(); oldest.hasNext(); ) {
      Sent next = oldest.next();
      oldest.remove();
      if (next.request().correlationId() == correlationId) {
        return next;
      }
      forget(next);
    }
    return null;
  }

  /** The connection has ended: no answer comes any more. */
  synchronized void close() {
    sent.forEach(InFlight::forget);
    sent.clear();
  }

  private static void forget(Sent unanswered) {
    FaultRule rule = unanswered.rule();
    if (rule != null && rule.action() == FaultRule.Action.DROP_RESPONSE) {
      rule.giveBack();
    }
  }
}
