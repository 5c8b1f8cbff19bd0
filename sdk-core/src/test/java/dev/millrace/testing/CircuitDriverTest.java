package dev.millrace.testing;

import static dev.millrace.testing.DriverFixture.record;
import static dev.millrace.testing.DriverFixture.texts;
import static dev.millrace.testing.DriverFixture.told;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.config.ConfigLoader;
import dev.millrace.consumer.ConsumerExplanation.Circuit;
import dev.millrace.consumer.ConsumerExplanation.CircuitState;
import dev.millrace.consumer.ConsumerExplanation.PauseCause;
import dev.millrace.consumer.ConsumerExplanation.WaitsForStart;
import dev.millrace.consumer.ConsumerState;
import dev.millrace.consumer.RecordHandler;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** While the circuit is open nothing starts, nothing ends and nothing is lost. */
class CircuitDriverTest {
  private static final TopicPartition FIRST = new TopicPartition("orders", 0);
  private static final Duration MOMENT = Duration.ofMillis(1);

  /** Opens at the fourth failure in a row, for half a minute, and closes after two successes. */
  private static final String CIRCUIT =
      "circuit-breaker: { failure-rate: 100, window: 4, open-for: 30s, probes: 2 }";

  private static final String AT_MOST_ONCE =
      """
      kafka:
        common: { bootstrap-servers: "no-such-host.invalid:1" }
        consumers:
          order-consumer:
            topics: [orders]
            group-id: stock
            delivery-semantics: at-most-once
            on-missing-offset: earliest
            circuit-breaker: { failure-rate: 100, window: 4, open-for: 30s, probes: 2 }
      """;

  private boolean down = true;

  private final RecordHandler<String> warehouse =
      (text, context) -> {
        if (down) {
          throw new IllegalStateException("the warehouse does not answer");
        }
      };

  private static void send(ConsumerDriver<String> driver, int from, int to) {
    for (int i = from; i < to; i++) {
      driver.send(record(0, "key-" + i, "" + i));
    }
  }

  private static Circuit circuit(ConsumerDriver<String> driver) {
    return driver.explain().starts().orElseThrow().circuit().orElseThrow();
  }

  private static int waiting(ConsumerDriver<String> driver) {
    return driver.explain().starts().orElseThrow().waiting();
  }

  private static List<Instant> starts(ConsumerDriver<String> driver) {
    return driver.attempts().stream().map(Attempt::at).toList();
  }

  @Test
  void whileItIsOpenNoHandlerStartsAndNoAttemptIsUsedUp() {
    try (ConsumerDriver<String> driver = texts(CIRCUIT).subscribe(warehouse)) {
      send(driver, 0, 10);
      driver.run();
      assertThat(driver.attempts()).hasSize(4);
      assertThat(circuit(driver).state()).isEqualTo(CircuitState.OPEN);

      // Retries that come due wait, too.
      driver.advance(Duration.ofSeconds(29));
      assertThat(driver.attempts()).hasSize(4);
      assertThat(waiting(driver)).isEqualTo(10);
      assertThat(driver.deadLetters()).isEmpty();
      assertThat(driver.committed(FIRST)).hasValue(0);

      down = false;
      driver.advance(Duration.ofSeconds(2));
      assertThat(driver.lag()).isZero();
      assertThat(driver.attempts().stream().mapToInt(Attempt::number).max()).hasValue(2);
      assertThat(circuit(driver).state()).isEqualTo(CircuitState.CLOSED);
      assertThat(waiting(driver)).isZero();
    }
  }

  @Test
  void itProbesWithSoManyCallsAndOpensAgainAtTheFirstThatFails() {
    try (ConsumerDriver<String> driver = texts(CIRCUIT).subscribe(warehouse)) {
      send(driver, 0, 10);
      driver.run();
      driver.advance(Duration.ofSeconds(90).plusMillis(10));

      List<Instant> probes = starts(driver).subList(4, driver.attempts().size());
      assertThat(probes).hasSize(3);
      for (int i = 0; i < 3; i++) {
        assertThat(probes.get(i))
            .isBetween(
                Instant.EPOCH.plusSeconds(30L * (i + 1)),
                Instant.EPOCH.plusSeconds(30L * (i + 1)).plus(MOMENT));
      }
      // In the order in which they have waited: none is tried again before all have been tried.
      assertThat(told(driver).subList(4, 7))
          .containsExactly("key-4@4#1 FAILED", "key-5@5#1 FAILED", "key-6@6#1 FAILED");
    }
  }

  @Test
  void recordsThatCantBeDecodedDoNotOpenItAndWaitWithTheOthers() {
    try (ConsumerDriver<DriverFixture.Order> driver =
        DriverFixture.orders(CIRCUIT).subscribe((order, context) -> {})) {
      for (int i = 0; i < 8; i++) {
        driver.send(record(0, "key-" + i, "no order"));
      }
      driver.run();

      assertThat(driver.deadLetters()).hasSize(8);
      assertThat(driver.explain().starts().orElseThrow().circuit().orElseThrow().state())
          .isEqualTo(CircuitState.CLOSED);
    }
  }

  @Test
  void aProbeThatCantBeDecodedIsNoneAndTheNextOneIsMade() {
    try (ConsumerDriver<DriverFixture.Order> driver =
        DriverFixture.orders(CIRCUIT)
            .subscribe(
                (order, context) -> {
                  if (down) {
                    throw new IllegalStateException("the warehouse does not answer");
                  }
                })) {
      for (int i = 0; i < 4; i++) {
        driver.send("key-" + i, new DriverFixture.Order("o-" + i, 1));
      }
      driver.run();
      for (int i = 0; i < 5; i++) {
        driver.send(record(0, "bad-" + i, "no order"));
      }
      down = false;
      driver.advance(Duration.ofSeconds(31));

      assertThat(driver.lag()).isZero();
      assertThat(driver.deadLetters()).hasSize(5);
    }
  }

  @Test
  void intakePausesUntilItProbes() {
    try (ConsumerDriver<String> driver = texts(CIRCUIT).subscribe(warehouse)) {
      send(driver, 0, 4);
      driver.run();
      send(driver, 4, 8);
      driver.advance(Duration.ofSeconds(5));

      var partition = driver.explain().partitions().get(0);
      assertThat(partition.pauses()).containsOnlyKeys(PauseCause.CIRCUIT_OPEN);
      assertThat(partition.position()).hasValue(4);
      assertThat(driver.explain().channel().records()).isEqualTo(4);

      down = false;
      driver.advance(Duration.ofSeconds(26));
      assertThat(driver.lag()).isZero();
      assertThat(driver.explain().partitions().get(0).pauses()).isEmpty();
    }
  }

  /** Here all that failed has ended, so only what is taken in can tell that all is well again. */
  @Test
  void withNothingLeftToProbeWithItTakesRecordsIn() {
    try (ConsumerDriver<String> driver = texts(CIRCUIT).subscribe((text, context) -> fail())) {
      // The last of three attempts at four records opens it.
      send(driver, 0, 4);
      driver.run();
      for (int i = 0; i < 20 && driver.deadLetters().size() < 4; i++) {
        driver.advance(Duration.ofSeconds(31));
      }
      assertThat(driver.deadLetters()).hasSize(4);
      int before = driver.attempts().size();
      send(driver, 4, 5);
      driver.advance(Duration.ofSeconds(31));

      assertThat(driver.attempts()).hasSizeGreaterThan(before);
    }
  }

  private static void fail() {
    throw new IllegalStateException("the warehouse does not answer");
  }

  @Test
  void explainsWhatHoldsARecord() {
    try (ConsumerDriver<String> driver = texts(CIRCUIT).subscribe(warehouse)) {
      send(driver, 0, 4);
      driver.run();
      driver.advance(Duration.ofSeconds(10));

      assertThat(circuit(driver))
          .isEqualTo(
              new Circuit(
                  CircuitState.OPEN, Instant.EPOCH, Optional.of(Instant.EPOCH.plusSeconds(30))));
      var partition = driver.explain().partitions().get(0);
      assertThat(partition.oldest().orElseThrow().activity()).isInstanceOf(WaitsForStart.class);
      assertThat(partition.verdict())
          .isEqualTo(
              "waits for orders-0@0, which has waited for 9 s, since the circuit is open; held back"
                  + " because the circuit is open since 1970-01-01T00:00:00Z");
      assertThat(driver.explain().toString())
          .contains(
              "  circuit OPEN since 1970-01-01T00:00:00Z, no handler starts before"
                  + " 1970-01-01T00:00:30Z; 4 calls of the handler wait\n");
    }
  }

  @Test
  void aRebalanceWhileItIsOpenLosesNothingAndBlocksNothing() {
    try (ConsumerDriver<String> driver = texts(CIRCUIT).subscribe(warehouse)) {
      send(driver, 0, 10);
      driver.run();
      Instant before = driver.now();
      driver.rebalance();
      assertThat(driver.now()).isEqualTo(before); // Nothing ran, so nothing was waited for.
      driver.advance(Duration.ofSeconds(5));
      assertThat(driver.attempts()).hasSize(4);
      driver.lose();
      driver.run();
      down = false;

      driver.advance(Duration.ofSeconds(26));
      assertThat(driver.lag()).isZero();
      assertThat(driver.deadLetters()).isEmpty();
      assertThat(waiting(driver)).isZero();
    }
  }

  @Test
  void aCloseWhileItIsOpenDoesNotWaitAndTheNextProcessHandlesAll() {
    try (ConsumerDriver<String> driver = texts(CIRCUIT).subscribe(warehouse)) {
      send(driver, 0, 10);
      driver.run();
      Instant before = driver.now();
      down = false;
      driver.restart();
      assertThat(driver.now()).isEqualTo(before);

      driver.run();
      driver.advance(Duration.ofSeconds(1));
      assertThat(driver.lag()).isZero();
      assertThat(driver.state()).isEqualTo(ConsumerState.RUNNING);
    }
  }

  /** These are committed already: nobody else would handle them. */
  @Test
  void atMostOnceWhatHasNotStartedWaitsAndIsHandledOnce() {
    try (ConsumerDriver<String> driver =
        ConsumerDriver.builder(
                ConfigLoader.create().parse("test.yaml", AT_MOST_ONCE),
                "order-consumer",
                String.class)
            .subscribe(warehouse)) {
      send(driver, 0, 10);
      driver.run();
      driver.advance(Duration.ofSeconds(29));
      assertThat(driver.attempts()).hasSize(4);
      assertThat(driver.committed(FIRST)).hasValue(10);

      down = false;
      driver.advance(Duration.ofSeconds(2));
      assertThat(told(driver)).hasSize(10);
      assertThat(driver.attempts().stream().map(Attempt::offset).distinct()).hasSize(10);
    }
  }

  @Test
  void aBatchIsOneCall() {
    List<Integer> sizes = new ArrayList<>();
    try (ConsumerDriver<String> driver =
        texts(CIRCUIT + "\n      ordering: partition\n      batch: { max-records: 5 }")
            .subscribeBatch(
                records -> {
                  sizes.add(records.size());
                  if (down) {
                    records.forEach(record -> record.retry(new IllegalStateException("not now")));
                  }
                })) {
      send(driver, 0, 20);
      driver.advance(Duration.ofMillis(500));
      // Attempts 1, 2 and 3 at the first batch, and then the second batch.
      assertThat(sizes).containsExactly(5, 5, 5, 5);
      assertThat(circuit(driver).state()).isEqualTo(CircuitState.OPEN);
      assertThat(driver.deadLetters()).hasSize(5);
      driver.advance(Duration.ofSeconds(28));
      assertThat(sizes).hasSize(4);

      down = false;
      driver.advance(Duration.ofSeconds(5));
      assertThat(driver.lag()).isZero();
      assertThat(sizes).containsOnly(5);
      assertThat(driver.deadLetters()).hasSize(5);
    }
  }

  @Test
  void aBatchOfWhichSomeFailIsNoFailure() {
    try (ConsumerDriver<String> driver =
        texts(CIRCUIT + "\n      ordering: partition\n      batch: { max-records: 5 }")
            .subscribeBatch(
                records -> records.get(0).deadLetter(new IllegalStateException("poison")))) {
      for (int i = 0; i < 10; i++) {
        send(driver, 5 * i, 5 * i + 5);
        driver.advance(Duration.ofMillis(200));
      }

      assertThat(driver.deadLetters()).hasSizeGreaterThanOrEqualTo(10);
      assertThat(circuit(driver).state()).isEqualTo(CircuitState.CLOSED);
    }
  }

  @Test
  void stagesThatFailOpenItAndThoseThatHungBeforeSayNothing() {
    Map<String, CompletableFuture<@Nullable Void>> stages = new LinkedHashMap<>();
    try (ConsumerDriver<String> driver =
        texts(CIRCUIT)
            .subscribeAsync(
                (text, context) -> {
                  CompletableFuture<@Nullable Void> stage = new CompletableFuture<>();
                  stages.put(text, stage);
                  return stage;
                })) {
      send(driver, 0, 6);
      driver.run();
      assertThat(stages).hasSize(6);
      for (int i = 0; i < 4; i++) {
        stages.get("" + i).completeExceptionally(new IllegalStateException("down"));
      }
      driver.run();
      assertThat(circuit(driver).state()).isEqualTo(CircuitState.OPEN);
      stages.keySet().removeAll(List.of("0", "1", "2", "3"));
      send(driver, 6, 10);
      driver.advance(Duration.ofSeconds(31));
      assertThat(circuit(driver).state()).isEqualTo(CircuitState.PROBING);
      assertThat(stages).hasSize(4); // Two that hang, and two probes.

      stages.get("4").completeExceptionally(new IllegalStateException("down"));
      stages.get("5").complete(null);
      driver.run();
      assertThat(circuit(driver).state()).isEqualTo(CircuitState.PROBING);
      assertThat(stages).hasSize(4);

      stages.values().forEach(stage -> stage.complete(null));
      driver.run();
      assertThat(circuit(driver).state()).isEqualTo(CircuitState.CLOSED);
    }
  }

  /** Their attempts were used up before; a send calls no handler. */
  @Test
  void deadLettersAreSentWhileItIsOpen() {
    try (ConsumerDriver<String> driver =
        ConsumerDriver.builder(
                DriverFixture.config(
                    "circuit-breaker: { failure-rate: 100, window: 3, open-for: 1h }"),
                "order-consumer",
                String.class)
            .subscribe(warehouse)) {
      driver.failDeadLetters(2);
      send(driver, 0, 1);
      driver.run();
      driver.advance(Duration.ofMinutes(1));

      assertThat(circuit(driver).state()).isEqualTo(CircuitState.OPEN);
      assertThat(driver.deadLetters()).hasSize(1);
      assertThat(driver.lag()).isZero();
    }
  }

  @Test
  void theOrderOfAKeyIsKept() {
    List<String> handled = new ArrayList<>();
    try (ConsumerDriver<String> driver =
        texts(CIRCUIT)
            .subscribe(
                (text, context) -> {
                  warehouse.handle(text, context);
                  handled.add(text);
                })) {
      for (int i = 0; i < 12; i++) {
        driver.send(
            new ProducerRecord<>(
                "orders",
                0,
                ("key-" + i % 4).getBytes(StandardCharsets.UTF_8),
                ("" + i).getBytes(StandardCharsets.UTF_8)));
      }
      driver.run();
      down = false;
      driver.advance(Duration.ofSeconds(31));

      assertThat(handled).hasSize(12);
      for (int key = 0; key < 4; key++) {
        int its = key;
        assertThat(handled.stream().filter(text -> Integer.parseInt(text) % 4 == its))
            .containsExactly("" + key, "" + (key + 4), "" + (key + 8));
      }
    }
  }
}
