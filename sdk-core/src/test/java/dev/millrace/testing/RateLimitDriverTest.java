package dev.millrace.testing;

import static dev.millrace.testing.DriverFixture.record;
import static dev.millrace.testing.DriverFixture.texts;
import static dev.millrace.testing.DriverFixture.told;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.consumer.ConsumerExplanation;
import dev.millrace.consumer.ConsumerExplanation.CircuitState;
import dev.millrace.consumer.ConsumerExplanation.RateLimit;
import dev.millrace.idempotency.InMemoryIdempotencyStore;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** So many records start within a time, and the others wait without a worker. */
class RateLimitDriverTest {
  private static final Duration SECOND = Duration.ofSeconds(1);

  private static void send(ConsumerDriver<String> driver, int from, int to) {
    for (int i = from; i < to; i++) {
      driver.send(record(0, "key-" + i, "" + i));
    }
  }

  /** Returns the most that start within any second. */
  private static int mostInASecond(List<Instant> starts) {
    int most = 0;
    int first = 0;
    for (int last = 0; last < starts.size(); last++) {
      while (!starts.get(last).isBefore(starts.get(first).plus(SECOND))) {
        first++;
      }
      most = Math.max(most, last - first + 1);
    }
    return most;
  }

  private static List<Instant> starts(ConsumerDriver<String> driver) {
    return driver.attempts().stream().map(Attempt::at).toList();
  }

  @Test
  void soManyStartInEachSecondAndNoneIsLost() {
    try (ConsumerDriver<String> driver =
        texts("rate-limit: { records: 50, per: 1s }").subscribe((text, context) -> {})) {
      send(driver, 0, 600);
      driver.run();
      driver.advance(Duration.ofSeconds(10));

      assertThat(driver.attempts()).hasSizeBetween(500, 505);
      driver.advance(Duration.ofSeconds(3));
      assertThat(driver.lag()).isZero();
      assertThat(driver.attempts()).hasSize(600);
      assertThat(mostInASecond(starts(driver))).isBetween(50, 54);
      // In the order of the log: whoever waits is not passed by those that come later.
      assertThat(driver.attempts().stream().map(Attempt::offset)).isSorted();
    }
  }

  @Test
  void eachAttemptCounts() {
    try (ConsumerDriver<String> driver =
        texts("rate-limit: { records: 5, per: 1s }")
            .subscribe(
                (text, context) -> {
                  throw new IllegalStateException("never");
                })) {
      send(driver, 0, 10);
      driver.run();
      driver.advance(Duration.ofSeconds(6));

      assertThat(driver.attempts()).hasSize(30);
      assertThat(mostInASecond(starts(driver))).isEqualTo(5);
      assertThat(driver.deadLetters()).hasSize(10);
    }
  }

  @Test
  void aBatchStartsAsAWholeAndThoseBehindItWaitUntilItIsPaid() {
    List<Integer> sizes = new ArrayList<>();
    try (ConsumerDriver<String> driver =
        texts(
                "rate-limit: { records: 10, per: 1s }\n      ordering: partition\n      batch: { max-records: 5 }")
            .subscribeBatch(records -> sizes.add(records.size()))) {
      send(driver, 0, 40);
      driver.run();
      assertThat(sizes).containsExactly(5);
      driver.advance(Duration.ofMillis(499));
      assertThat(sizes).hasSize(1);
      driver.advance(Duration.ofMillis(2));
      assertThat(sizes).containsExactly(5, 5);

      driver.advance(Duration.ofSeconds(4));
      assertThat(driver.lag()).isZero();
    }
  }

  @Test
  void backPressureFollowsSinceTheChannelFills() {
    try (ConsumerDriver<String> driver =
        texts(
                "rate-limit: { records: 1, per: 1m }\n      concurrency: 2\n      channel-capacity: 500")
            .subscribe((text, context) -> {})) {
      send(driver, 0, 2_000);
      driver.run();
      driver.advance(Duration.ofSeconds(1));

      ConsumerExplanation explanation = driver.explain();
      assertThat(explanation.channel().records()).isLessThanOrEqualTo(500);
      assertThat(explanation.permits().used()).isZero();
      assertThat(explanation.starts().orElseThrow().waiting()).isGreaterThan(100);
      assertThat(explanation.partitions().get(0).verdict())
          .contains("since the rate limit lets no more start");
    }
  }

  @Test
  void recordsThatNeverReachTheHandlerAreNotPaidFor() {
    try (ConsumerDriver<DriverFixture.Order> driver =
        DriverFixture.orders("rate-limit: { records: 1, per: 1m }")
            .subscribe((order, context) -> {})) {
      for (int i = 0; i < 5; i++) {
        driver.send(record(0, "key-" + i, "no order"));
      }
      driver.send("key", new DriverFixture.Order("o-1", 1));
      driver.run();

      assertThat(driver.deadLetters()).hasSize(5);
      assertThat(driver.attempts()).hasSize(1);
    }
  }

  /** They are known to be such only when the store has been asked. */
  @Test
  void duplicatesAreNotPaidFor() {
    try (ConsumerDriver<String> driver =
        texts("rate-limit: { records: 1, per: 1m }\n      idempotency: { key: record-key }")
            .idempotencyStore(InMemoryIdempotencyStore.ofAtMost(10))
            .subscribe((text, context) -> {})) {
      for (int i = 0; i < 5; i++) {
        driver.send(record(0, "m", "" + i));
      }
      driver.send(record(0, "n", "1"));
      driver.run();
      assertThat(told(driver)).containsExactly("m@0#1 SUCCEEDED");
      driver.advance(Duration.ofSeconds(61));

      assertThat(told(driver)).containsExactly("m@0#1 SUCCEEDED", "n@5#1 SUCCEEDED");
      driver.advance(Duration.ofSeconds(61)); // One token is enough for all of them.
      assertThat(driver.lag()).isZero();
    }
  }

  /** What was called up and is gone must not keep the others from being called up. */
  @Test
  void partitionsThatLeaveAndComeBackAreReadOn() {
    try (ConsumerDriver<String> driver =
        texts("rate-limit: { records: 10, per: 1s }").subscribe((text, context) -> {})) {
      send(driver, 0, 60);
      driver.run();
      for (int i = 0; i < 10; i++) {
        driver.advance(Duration.ofMillis(333));
        driver.rebalance();
        driver.run();
      }
      driver.advance(Duration.ofSeconds(4));

      assertThat(driver.lag()).isZero();
      assertThat(driver.attempts()).hasSize(60);
      assertThat(mostInASecond(starts(driver))).isLessThanOrEqualTo(10);
    }
  }

  @Test
  void withACircuitBothHaveToLetARecordStart() {
    boolean[] down = {true};
    try (ConsumerDriver<String> driver =
        texts(
                "rate-limit: { records: 10, per: 1s }\n"
                    + "      circuit-breaker: { window: 5, open-for: 10s, probes: 3 }")
            .subscribe(
                (text, context) -> {
                  if (down[0]) {
                    throw new IllegalStateException("down");
                  }
                })) {
      send(driver, 0, 40);
      driver.run();
      driver.advance(Duration.ofSeconds(5));
      assertThat(driver.attempts()).hasSize(5);
      down[0] = false;

      driver.advance(Duration.ofSeconds(6));
      assertThat(driver.explain().starts().orElseThrow().circuit().orElseThrow().state())
          .isEqualTo(CircuitState.CLOSED);
      driver.advance(Duration.ofSeconds(5));
      assertThat(driver.lag()).isZero();
      assertThat(mostInASecond(starts(driver))).isLessThanOrEqualTo(10);
    }
  }

  @Test
  void tellsOfItself() {
    try (ConsumerDriver<String> driver =
        texts("rate-limit: { records: 3, per: 1m }").subscribe((text, context) -> {})) {
      send(driver, 0, 5);
      driver.run();

      assertThat(driver.explain().starts())
          .contains(
              new ConsumerExplanation.Starts(
                  Optional.empty(), Optional.of(new RateLimit(3, Duration.ofMinutes(1))), 4));
      assertThat(driver.explain().toString())
          .contains("  rate limit 3 records in 60 s; 4 calls of the handler wait\n");
    }
  }
}
