package dev.millrace.examples.quickstart;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Collections;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;

class SummaryTest {
  private static final OrderChecks.Result GOOD = new OrderChecks.Result(10, 0, 0, 0, null);

  @Test
  void saysThatAllIsWell() {
    Summary summary = summary(GOOD, 1, 0);

    assertThat(summary.problems()).isEmpty();
    assertThat(summary.text()).contains("All checks held.").doesNotContain("FAILED");
  }

  @Test
  void failsForEachCheckByItself() {
    assertFails(summary(new OrderChecks.Result(9, 1, 0, 0, null), 1, 0), "1 orders", "never");
    assertFails(summary(new OrderChecks.Result(10, 0, 2, 0, null), 1, 0), "2 orders", "again");
    assertFails(summary(new OrderChecks.Result(10, 0, 0, 3, "this"), 1, 0), "3 times", "this");
    assertFails(summary(GOOD, 0, 0), "1 dead letter was expected, not 0");
    assertFails(summary(GOOD, 2, 0), "1 dead letter was expected, not 2");
    assertFails(summary(GOOD, 1, 4), "4 records are not committed");
  }

  @Test
  void showsPercentilesOfFewValues() {
    Latencies latencies = new Latencies();
    assertThat(latencies.percentile(0.5)).isZero();
    for (long millis : new long[] {40, 10, 30, 20}) {
      latencies.add(millis);
    }
    assertThat(latencies.percentile(0.5)).isEqualTo(20);
    assertThat(latencies.percentile(0.99)).isEqualTo(40);
  }

  private static void assertFails(Summary summary, String... reason) {
    assertThat(summary.problems()).singleElement().asString().contains(reason);
    assertThat(summary.text()).contains("FAILED: ").doesNotContain("All checks held.");
  }

  private static Summary summary(OrderChecks.Result orders, int deadLetters, long lag) {
    var letter = new ConsumerRecord<>("orders.order-service.dlq", 0, 0, "customer-0", "no order");
    return new Summary(
        10,
        orders,
        Collections.nCopies(deadLetters, letter),
        lag,
        Duration.ofSeconds(1),
        new Latencies());
  }
}
