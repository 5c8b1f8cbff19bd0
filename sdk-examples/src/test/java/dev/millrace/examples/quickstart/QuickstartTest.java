package dev.millrace.examples.quickstart;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.testkit.cluster.KafkaCluster;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(400)
class QuickstartTest {

  @Test
  void everyCheckHolds() throws Exception {
    try (KafkaCluster broker = KafkaCluster.start()) {
      Summary summary = new Quickstart(broker, 2_000, 50).run();

      assertThat(summary.problems()).isEmpty();
      assertThat(summary.published()).isEqualTo(2_000);
      assertThat(summary.orders()).isEqualTo(new OrderChecks.Result(2_000, 0, 0, 0, null));
      assertThat(summary.lag()).isZero();
      assertThat(summary.deadLetters())
          .singleElement()
          .satisfies(
              letter -> {
                assertThat(letter.key()).isEqualTo("customer-0");
                assertThat(letter.value()).isEqualTo("not an order");
                assertThat(letter.headers().lastHeader("millrace-exception-class").value())
                    .asString()
                    .endsWith("PayloadException");
              });
      assertThat(summary.text()).contains("2000", "All checks held.").doesNotContain("FAILED");
    }
  }
}
