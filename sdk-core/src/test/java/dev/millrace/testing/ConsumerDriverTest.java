package dev.millrace.testing;

import static dev.millrace.testing.DriverFixture.orders;
import static dev.millrace.testing.DriverFixture.partitionOf;
import static dev.millrace.testing.DriverFixture.record;
import static dev.millrace.testing.DriverFixture.texts;
import static dev.millrace.testing.DriverFixture.told;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.groups.Tuple.tuple;

import dev.millrace.consumer.ConsumerState;
import dev.millrace.errors.PayloadException;
import dev.millrace.testing.DriverFixture.Order;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.junit.jupiter.api.Test;

/** What a handler sees of a consumer: decoding, order, attempts, dead letters, commits. */
class ConsumerDriverTest {
  private static final TopicPartition FIRST = new TopicPartition("orders", 0);

  @Test
  void theHandlerGetsTheDecodedValueAndWhereItComesFrom() {
    List<String> seen = new ArrayList<>();
    try (ConsumerDriver<Order> driver =
        orders()
            .subscribe(
                (order, context) ->
                    seen.add(
                        "%s of %s at %s-%d@%d, attempt %d, time %d"
                            .formatted(
                                order,
                                context.key(),
                                context.topic(),
                                context.partition(),
                                context.offset(),
                                context.attempt(),
                                context.timestamp())))) {
      driver.advance(Duration.ofSeconds(2));
      RecordMetadata sent = driver.send("customer-42", new Order("o-1", 3));
      assertThat(seen).isEmpty();

      driver.run();

      assertThat(seen)
          .containsExactly(
              "Order[id=o-1, quantity=3] of customer-42 at orders-%d@0, attempt 1, time 2000"
                  .formatted(sent.partition()));
    }
  }

  @Test
  void aKeyStaysInOnePartitionAndNoKeyGoesRound() {
    try (ConsumerDriver<Order> driver = orders().partitions(3).subscribe((order, context) -> {})) {
      int partition = driver.send("customer-42", new Order("o-1", 1)).partition();
      assertThat(driver.send("customer-42", new Order("o-2", 1)).partition()).isEqualTo(partition);
      assertThat(driver.send("customer-42", new Order("o-3", 1)).offset()).isEqualTo(2);

      List<Integer> withoutKey = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        withoutKey.add(driver.send(null, new Order("o", i)).partition());
      }
      assertThat(withoutKey).containsExactly(0, 1, 2, 0);
    }
  }

  @Test
  void aRecordIsSentAsItIs() {
    List<String> seen = new ArrayList<>();
    try (ConsumerDriver<String> driver =
        texts("")
            .subscribe(
                (text, context) ->
                    seen.add(
                        text
                            + " "
                            + context.timestamp()
                            + " "
                            + new String(context.headers().lastHeader("from").value(), UTF_8)))) {
      driver.send(
          new ProducerRecord<>(
              "orders",
              3,
              77L,
              null,
              "text".getBytes(UTF_8),
              new RecordHeaders().add("from", "shop".getBytes(UTF_8))));
      driver.run();

      assertThat(seen).containsExactly("text 77 shop");
    }
  }

  @Test
  void aTombstoneIsNull() {
    List<Boolean> seen = new ArrayList<>();
    try (ConsumerDriver<Order> driver =
        orders().subscribe((order, context) -> seen.add(order == null))) {
      driver.send("customer-42", null);
      driver.run();
    }
    assertThat(seen).containsExactly(true);
  }

  @Test
  void recordsAreKeptInOrderByWhatTheServiceSays() {
    try (ConsumerDriver<Order> driver =
        orders("")
            .orderBy(record -> "one order for all".getBytes(UTF_8))
            .subscribe((order, context) -> {})) {
      driver.failNext(1, new IllegalStateException("out of stock"));
      driver.send(record(0, "customer-1", "{\"id\":\"o-1\"}"));
      driver.send(record(0, "customer-2", "{\"id\":\"o-2\"}"));
      driver.run();
      assertThat(told(driver)).containsExactly("customer-1@0#1 FAILED");

      driver.advance(Duration.ofSeconds(1));
      assertThat(told(driver))
          .containsExactly(
              "customer-1@0#1 FAILED", "customer-1@0#2 SUCCEEDED", "customer-2@1#1 SUCCEEDED");
    }
  }

  /** What a handler does to a record's bytes does not come back with it. */
  @Test
  void aRecordThatComesAgainIsUntouched() {
    List<String> seen = new ArrayList<>();
    try (ConsumerDriver<byte[]> driver =
        ConsumerDriver.builder(DriverFixture.config(""), "order-consumer", byte[].class)
            .subscribe(
                (bytes, context) -> {
                  seen.add(new String(bytes, UTF_8));
                  bytes[0] = 'X';
                })) {
      driver.send("a", "text".getBytes(UTF_8));
      driver.run();
      driver.crash();
      driver.run();
    }
    assertThat(seen).containsExactly("text", "text");
  }

  @Test
  void aFailedAttemptIsRepeatedWhenItsBackOffIsOver() {
    List<Integer> numbers = new ArrayList<>();
    try (ConsumerDriver<Order> driver =
        orders()
            .subscribe(
                (order, context) -> {
                  numbers.add(context.attempt());
                  if (context.attempt() < 3) {
                    throw new IllegalStateException("the warehouse does not answer");
                  }
                })) {
      driver.send("customer-42", new Order("o-1", 3));
      driver.run();
      assertThat(numbers).containsExactly(1);

      driver.advance(Duration.ofMillis(99));
      assertThat(numbers).containsExactly(1);
      driver.advance(Duration.ofMillis(1));
      assertThat(numbers).containsExactly(1, 2);
      driver.advance(Duration.ofMillis(199));
      assertThat(numbers).containsExactly(1, 2);
      driver.advance(Duration.ofMillis(1));
      assertThat(numbers).containsExactly(1, 2, 3);

      assertThat(driver.attempts())
          .extracting(Attempt::number, Attempt::state, Attempt::at)
          .containsExactly(
              tuple(1, Attempt.State.FAILED, Instant.EPOCH),
              tuple(2, Attempt.State.FAILED, Instant.EPOCH.plusMillis(100)),
              tuple(3, Attempt.State.SUCCEEDED, Instant.EPOCH.plusMillis(300)));
      assertThat(driver.attempts().get(0).failure())
          .get()
          .isInstanceOf(IllegalStateException.class);
      assertThat(driver.attempts().get(2).failure()).isEmpty();
    }
  }

  @Test
  void attemptsFailAsTheTestWants() {
    List<Order> handled = new ArrayList<>();
    try (ConsumerDriver<Order> driver =
        orders().subscribe((order, context) -> handled.add(order))) {
      driver.send("customer-42", new Order("o-1", 3));
      driver.failNext(2, new IllegalStateException("as the test wants it"));
      driver.run();
      driver.advance(Duration.ofMillis(100));
      assertThat(handled).isEmpty();

      driver.advance(Duration.ofMillis(200));

      assertThat(handled).hasSize(1);
      assertThat(told(driver))
          .containsExactly(
              "customer-42@0#1 FAILED", "customer-42@0#2 FAILED", "customer-42@0#3 SUCCEEDED");
    }
  }

  @Test
  void aKeyWaitsForItsRetryAndOthersDoNot() {
    try (ConsumerDriver<String> driver = texts("").subscribe((text, context) -> {})) {
      driver.send(record(0, "a", "1"));
      driver.send(record(0, "a", "2"));
      driver.send(record(0, "b", "3"));
      driver.send(record(1, "c", "4"));
      driver.failNext(1, new IllegalStateException("once"));
      driver.run();
      assertThat(told(driver))
          .containsExactly("a@0#1 FAILED", "b@2#1 SUCCEEDED", "c@0#1 SUCCEEDED");

      driver.advance(Duration.ofMillis(100));

      assertThat(told(driver).subList(3, 5)).containsExactly("a@0#2 SUCCEEDED", "a@1#1 SUCCEEDED");
    }
  }

  @Test
  void underPartitionOrderThePartitionWaits() {
    try (ConsumerDriver<String> driver =
        texts("ordering: partition").subscribe((text, context) -> {})) {
      driver.send(record(0, "a", "1"));
      driver.send(record(0, "b", "2"));
      driver.send(record(1, "c", "3"));
      driver.failNext(1, new IllegalStateException("once"));
      driver.run();
      assertThat(told(driver)).containsExactly("a@0#1 FAILED", "c@0#1 SUCCEEDED");

      driver.advance(Duration.ofMillis(100));

      assertThat(told(driver).subList(2, 4)).containsExactly("a@0#2 SUCCEEDED", "b@1#1 SUCCEEDED");
    }
  }

  /** More than a poll returns, and than the channel holds. */
  @Test
  void manyRecordsKeepTheOrderOfTheirKeys() {
    try (ConsumerDriver<String> driver =
        texts("concurrency: 3\n      channel-capacity: 8").subscribe((text, context) -> {})) {
      for (int i = 0; i < 500; i++) {
        driver.send("key-" + i % 7, "value");
      }
      driver.run();

      assertThat(driver.attempts()).hasSize(500);
      for (int key = 0; key < 7; key++) {
        String name = "key-" + key;
        assertThat(driver.attempts())
            .filteredOn(attempt -> name.equals(attempt.key()))
            .extracting(Attempt::offset)
            .isSorted();
      }
      driver.advance(Duration.ofSeconds(1));
      assertThat(driver.lag()).isZero();
    }
  }

  @Test
  void usedUpAttemptsEndInTheDeadLetterTopic() {
    try (ConsumerDriver<Order> driver =
        orders()
            .subscribe(
                (order, context) -> {
                  throw new IllegalStateException("sold out");
                })) {
      RecordMetadata sent = driver.send("customer-42", new Order("o-1", 3));
      driver.advance(Duration.ofSeconds(1));

      assertThat(driver.attempts()).hasSize(3);
      assertThat(driver.deadLetters()).hasSize(1);
      DeadLetter letter = driver.deadLetters().get(0);
      assertThat(letter.topic()).isEqualTo("orders.stock.dlq");
      assertThat(letter.key()).isEqualTo("customer-42");
      assertThat(letter.value()).asString().isEqualTo("{\"id\":\"o-1\",\"quantity\":3}");
      assertThat(letter.headers())
          .containsEntry("millrace-origin-topic", "orders")
          .containsEntry("millrace-origin-partition", String.valueOf(sent.partition()))
          .containsEntry("millrace-origin-offset", "0")
          .containsEntry("millrace-group", "stock")
          .containsEntry("millrace-attempts", "3")
          .containsEntry("millrace-exception-class", IllegalStateException.class.getName())
          .containsEntry("millrace-exception-message", "sold out");
      driver.advance(Duration.ofSeconds(1));
      assertThat(driver.committed(partitionOf(sent))).hasValue(1);
      assertThat(letter.toString()).doesNotContain("customer-42").doesNotContain("o-1");
    }
  }

  @Test
  void poisonIsNotTriedAndStopsNobody() {
    List<Order> handled = new ArrayList<>();
    try (ConsumerDriver<Order> driver =
        orders().subscribe((order, context) -> handled.add(order))) {
      driver.send(record(0, "customer-42", "{ no json"));
      driver.send(record(0, "customer-42", "{\"id\":\"o-2\",\"quantity\":1}"));
      driver.run();

      assertThat(handled).containsExactly(new Order("o-2", 1));
      assertThat(driver.attempts()).hasSize(1);
      assertThat(driver.deadLetters().get(0).value()).asString().isEqualTo("{ no json");
      assertThat(driver.deadLetters().get(0).headers())
          .containsEntry("millrace-exception-class", PayloadException.class.getName());
    }
  }

  @Test
  void aDeadLetterThatIsRefusedIsSentAgainAndHoldsTheOffset() {
    try (ConsumerDriver<Order> driver = orders().subscribe((order, context) -> {})) {
      driver.send(record(0, "customer-42", "{ no json"));
      driver.failDeadLetters(2);
      driver.run();
      assertThat(driver.deadLetters()).isEmpty();
      assertThat(driver.explain().deadLetterOutage()).get().extracting("failures").isEqualTo(1);

      driver.advance(Duration.ofMillis(600));
      assertThat(driver.deadLetters()).isEmpty();
      assertThat(driver.committed(FIRST)).hasValue(0);

      driver.advance(Duration.ofSeconds(2));
      assertThat(driver.deadLetters()).hasSize(1);
      assertThat(driver.committed(FIRST)).hasValue(1);
    }
  }

  @Test
  void aRecordWaitsInRetryTopicsAndHoldsNobodyUp() {
    try (ConsumerDriver<Order> driver =
        ConsumerDriver.builder(
                DriverFixture.withRetryTopics("[1s, 5s]"), "order-consumer", Order.class)
            .subscribe(
                (order, context) -> {
                  if (order.id().equals("bad")) {
                    throw new IllegalStateException("out of stock");
                  }
                })) {
      driver.send("customer-42", new Order("bad", 1));
      driver.send("customer-42", new Order("o-2", 1));
      driver.run();
      assertThat(told(driver))
          .containsExactly("customer-42@0#1 FAILED", "customer-42@1#1 SUCCEEDED");

      driver.advance(Duration.ofMillis(999));
      assertThat(driver.attempts()).hasSize(2);
      assertThat(driver.lag()).as("the record that waits").isEqualTo(1);
      driver.advance(Duration.ofMillis(1));
      assertThat(driver.attempts()).hasSize(3);

      driver.restart();
      driver.advance(Duration.ofMillis(4999));
      assertThat(driver.attempts()).hasSize(3);
      driver.advance(Duration.ofMillis(1));

      assertThat(told(driver))
          .containsExactly(
              "customer-42@0#1 FAILED",
              "customer-42@1#1 SUCCEEDED",
              "customer-42@0#2 FAILED",
              "customer-42@0#3 FAILED");
      assertThat(driver.deadLetters().get(0).topic()).isEqualTo("orders.stock.dlq");
      assertThat(driver.deadLetters().get(0).headers())
          .containsEntry("millrace-origin-topic", "orders")
          .containsEntry("millrace-attempts", "3");
      driver.advance(Duration.ofSeconds(1));
      assertThat(driver.lag()).isZero();
    }
  }

  @Test
  void whatIsDoneIsCommittedWhenTheIntervalIsOver() {
    try (ConsumerDriver<String> driver = texts("").subscribe((text, context) -> {})) {
      driver.send(record(0, "a", "1"));
      driver.run();
      assertThat(driver.committed(FIRST)).isEmpty();
      assertThat(driver.lag()).isEqualTo(1);

      driver.advance(Duration.ofMillis(49));
      assertThat(driver.committed(FIRST)).isEmpty();
      driver.advance(Duration.ofMillis(1));

      assertThat(driver.committed(FIRST)).hasValue(1);
      assertThat(driver.lag()).isZero();
    }
  }

  @Test
  void aCommitThatIsRefusedIsMadeUpForByTheNext() {
    try (ConsumerDriver<String> driver = texts("").subscribe((text, context) -> {})) {
      driver.send(record(0, "a", "1"));
      driver.failCommits(1);
      driver.advance(Duration.ofMillis(50));
      assertThat(driver.committed(FIRST)).isEmpty();
      assertThat(driver.explain().partitions().get(0).commits().failure()).isPresent();

      driver.advance(Duration.ofMillis(50));

      assertThat(driver.committed(FIRST)).hasValue(1);
      assertThat(driver.explain().partitions().get(0).commits().failure()).isEmpty();
    }
  }

  @Test
  void withoutDeadLettersTheConsumerStopsAndCanBeStartedAgain() {
    try (ConsumerDriver<Order> driver =
        ConsumerDriver.builder(DriverFixture.withoutDeadLetters(), "order-consumer", Order.class)
            .subscribe((order, context) -> {})) {
      driver.send(record(0, "customer-42", "{\"id\":\"o-1\",\"quantity\":1}"));
      driver.send(record(0, "customer-42", "{\"id\":\"o-2\",\"quantity\":1}"));
      assertThat(driver.state()).isEqualTo(ConsumerState.RUNNING);
      driver.failNext(3, new IllegalStateException("sold out"));
      driver.advance(Duration.ofSeconds(1));

      assertThat(driver.state()).isEqualTo(ConsumerState.FAILED);
      assertThat(driver.failure()).get().asString().contains("stopped at orders-0@0");
      assertThat(driver.explain().partitions()).isEmpty();
      assertThat(driver.committed(FIRST)).hasValue(0);
      driver.advance(Duration.ofHours(1));
      assertThat(driver.attempts()).hasSize(3);

      driver.restart();
      driver.run();
      assertThat(driver.failure()).isEqualTo(Optional.empty());
      assertThat(told(driver).subList(3, 5))
          .containsExactly("customer-42@0#1 SUCCEEDED", "customer-42@1#1 SUCCEEDED");
    }
  }

  @Test
  void explainTellsWhatWaitsForWhat() {
    try (ConsumerDriver<String> driver = texts("").subscribe((text, context) -> {})) {
      driver.send(record(0, "a", "1"));
      driver.send(record(0, "b", "2"));
      driver.failNext(1, new IllegalStateException("once"));
      driver.run();

      assertThat(driver.explain().toString())
          .contains("Consumer 'order-consumer' is RUNNING at 1970-01-01T00:00:00Z")
          .contains("orders-0@0: key \"a\", attempt 2")
          .contains("done beyond the first unfinished 1");
    }
  }
}
