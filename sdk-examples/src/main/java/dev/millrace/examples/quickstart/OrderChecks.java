package dev.millrace.examples.quickstart;

import java.time.Duration;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Watches the handlers with a notebook of its own: which orders each customer has had, and which of
 * them is being handled now. Any thread.
 */
final class OrderChecks {

  /**
   * What was seen.
   *
   * @param handled how many different orders were handled
   * @param lost how many were not
   * @param duplicates how often an order came again
   * @param violations how often an order came too late, or while another of its customer ran
   * @param firstViolation the first of them in words; null when there is none
   */
  record Result(
      int handled, int lost, int duplicates, int violations, @Nullable String firstViolation) {}

  private static final class Customer {
    private final BitSet started = new BitSet();
    private final BitSet finished = new BitSet();
    private int running;
  }

  private final int expected;
  private final CountDownLatch missing;
  private final Map<String, Customer> customers = new HashMap<>();
  private int duplicates;
  private int violations;
  private @Nullable String firstViolation;

  OrderChecks(int expected) {
    this.expected = expected;
    this.missing = new CountDownLatch(expected);
  }

  synchronized void started(Order order) {
    Customer customer = customers.computeIfAbsent(order.customer(), name -> new Customer());
    if (customer.running++ > 0) {
      violated(order + " began while another order of the customer was being handled");
    }
    if (customer.started.get(order.sequence())) {
      duplicates++;
    } else if (order.sequence() < customer.started.length()) {
      violated(order + " came after number " + (customer.started.length() - 1));
    }
    customer.started.set(order.sequence());
  }

  synchronized void finished(Order order) {
    Customer customer = customers.computeIfAbsent(order.customer(), name -> new Customer());
    customer.running--;
    if (!customer.finished.get(order.sequence())) {
      customer.finished.set(order.sequence());
      missing.countDown();
    }
  }

  private void violated(String what) {
    violations++;
    if (firstViolation == null) {
      firstViolation = what;
    }
  }

  /** Waits until every order has been handled once, and says whether that is so. */
  boolean awaitAll(Duration timeout) throws InterruptedException {
    return missing.await(timeout.toMillis(), TimeUnit.MILLISECONDS);
  }

  int handled() {
    return expected - lost();
  }

  private int lost() {
    return Math.toIntExact(missing.getCount());
  }

  synchronized Result result() {
    return new Result(handled(), lost(), duplicates, violations, firstViolation);
  }
}
