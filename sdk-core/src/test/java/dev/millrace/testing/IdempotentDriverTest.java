package dev.millrace.testing;

import static dev.millrace.testing.DriverFixture.record;
import static dev.millrace.testing.DriverFixture.texts;
import static dev.millrace.testing.DriverFixture.told;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.errors.InvalidDefinitionException;
import dev.millrace.idempotency.InMemoryIdempotencyStore;
import java.time.Duration;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

/** What a handler sees of messages that come again. */
class IdempotentDriverTest {
  private static final String BY_KEY = "idempotency: { key: record-key }";

  @Test
  void aMessageThatComesAgainIsHandledOnceAlsoInTheNextLife() {
    try (ConsumerDriver<String> driver =
        texts(BY_KEY)
            .idempotencyStore(InMemoryIdempotencyStore.ofAtMost(100))
            .subscribe((text, context) -> {})) {
      driver.send(record(0, "m", "1"));
      driver.send(record(0, "n", "1"));
      driver.send(record(1, "m", "again"));
      driver.advance(Duration.ofSeconds(1));
      driver.crash();
      driver.send(record(2, "n", "again"));
      driver.advance(Duration.ofSeconds(1));

      assertThat(told(driver)).containsExactlyInAnyOrder("m@0#1 SUCCEEDED", "n@1#1 SUCCEEDED");
      assertThat(driver.committed(new TopicPartition("orders", 1))).hasValue(1);
      assertThat(driver.committed(new TopicPartition("orders", 2))).hasValue(1);
    }
  }

  @Test
  void aMessageWhoseHandlerFailedIsTriedAgain() {
    try (ConsumerDriver<String> driver =
        texts(BY_KEY)
            .idempotencyStore(InMemoryIdempotencyStore.ofAtMost(100))
            .subscribe((text, context) -> {})) {
      driver.failNext(1, new IllegalStateException("out of stock"));
      driver.send(record(0, "m", "1"));
      driver.advance(Duration.ofSeconds(1));

      assertThat(told(driver)).containsExactly("m@0#1 FAILED", "m@0#2 SUCCEEDED");
    }
  }

  @Test
  void withoutAStoreThereIsNoDriver() {
    assertThatThrownBy(() -> texts(BY_KEY).subscribe((text, context) -> {}))
        .isInstanceOf(InvalidDefinitionException.class)
        .hasMessage(
            "Consumer 'order-consumer': 'idempotency' needs a store; give the factory one, by"
                + " KafkaFactory.builder().idempotencyStore(…).");
  }
}
