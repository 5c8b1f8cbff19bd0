package dev.millrace.examples.quickstart;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** The checks are worth something only if they turn red: here they are fed what must not be. */
class OrderChecksTest {

  @Test
  void isContentWithOrderPerCustomer() throws InterruptedException {
    OrderChecks checks = new OrderChecks(4);
    checks.started(order("a", 0));
    checks.started(order("b", 0));
    checks.finished(order("b", 0));
    handle(checks, order("b", 1));
    checks.finished(order("a", 0));
    handle(checks, order("a", 1));

    assertThat(checks.awaitAll(Duration.ZERO)).isTrue();
    assertThat(checks.result()).isEqualTo(new OrderChecks.Result(4, 0, 0, 0, null));
  }

  @Test
  void seesAnOrderThatComesTooLate() {
    OrderChecks checks = new OrderChecks(2);
    handle(checks, order("a", 1));
    handle(checks, order("a", 0));

    assertThat(checks.result().violations()).isEqualTo(1);
    assertThat(checks.result().firstViolation()).contains("sequence=0", "after number 1");
  }

  @Test
  void seesTwoOrdersOfOneCustomerAtTheSameTime() {
    OrderChecks checks = new OrderChecks(2);
    checks.started(order("a", 0));
    checks.started(order("a", 1));

    assertThat(checks.result().violations()).isEqualTo(1);
    assertThat(checks.result().firstViolation()).contains("sequence=1", "while another");
  }

  @Test
  void seesAnOrderThatComesTwice() {
    OrderChecks checks = new OrderChecks(1);
    handle(checks, order("a", 0));
    handle(checks, order("a", 0));

    assertThat(checks.result()).isEqualTo(new OrderChecks.Result(1, 0, 1, 0, null));
  }

  @Test
  void seesAnOrderThatNeverComes() throws InterruptedException {
    OrderChecks checks = new OrderChecks(3);
    handle(checks, order("a", 0));
    handle(checks, order("a", 2));

    assertThat(checks.awaitAll(Duration.ZERO)).isFalse();
    assertThat(checks.result().lost()).isEqualTo(1);
  }

  @Test
  void doesNotCountAnOrderWhoseHandlerHasNotReturned() {
    OrderChecks checks = new OrderChecks(1);
    checks.started(order("a", 0));

    assertThat(checks.handled()).isZero();
    assertThat(checks.result().lost()).isEqualTo(1);
  }

  private static void handle(OrderChecks checks, Order order) {
    checks.started(order);
    checks.finished(order);
  }

  private static Order order(String customer, int sequence) {
    return new Order(customer, sequence);
  }
}
