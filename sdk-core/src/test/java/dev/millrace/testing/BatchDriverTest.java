package dev.millrace.testing;

import static dev.millrace.testing.DriverFixture.record;
import static dev.millrace.testing.DriverFixture.texts;
import static dev.millrace.testing.DriverFixture.told;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.consumer.BatchRecord;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

/** Handlers of batches: full ones at once, others in time, and an outcome for each record. */
class BatchDriverTest {
  private static final String BATCH =
      "ordering: partition\n      batch: { max-records: 3, max-wait: 200ms }";
  private static final TopicPartition FIRST = new TopicPartition("orders", 0);

  /** The values of each call. */
  private final List<List<String>> batches = new ArrayList<>();

  private void note(List<BatchRecord<String>> records) {
    batches.add(records.stream().map(BatchRecord::value).toList());
  }

  @Test
  void aFullBatchComesAtOnceAndAnotherWhenItHasWaited() {
    try (ConsumerDriver<String> driver = texts(BATCH).subscribeBatch(this::note)) {
      for (int i = 0; i < 4; i++) {
        driver.send(record(0, "key-" + i, "" + i));
      }
      driver.run();
      assertThat(batches).containsExactly(List.of("0", "1", "2"));

      driver.advance(Duration.ofMillis(199));
      assertThat(batches).hasSize(1);
      driver.advance(Duration.ofMillis(1));
      assertThat(batches).containsExactly(List.of("0", "1", "2"), List.of("3"));
      driver.advance(Duration.ofMillis(50));
      assertThat(driver.committed(FIRST)).hasValue(4);
    }
  }

  @Test
  void eachRecordHasItsOwnOutcome() {
    try (ConsumerDriver<String> driver =
        texts(BATCH)
            .subscribeBatch(
                records -> {
                  note(records);
                  for (BatchRecord<String> record : records) {
                    switch (record.value()) {
                      case "again" -> record.retry(new IllegalStateException("once more"));
                      case "poison" -> record.deadLetter(new IllegalStateException("never"));
                      default -> {} // done, since the handler returns
                    }
                  }
                })) {
      driver.send(record(0, "a", "good"));
      driver.send(record(0, "b", "poison"));
      driver.send(record(0, "c", "again"));
      driver.run();

      assertThat(told(driver)).containsExactly("a@0#1 SUCCEEDED", "b@1#1 FAILED", "c@2#1 FAILED");
      assertThat(driver.deadLetters()).hasSize(1);

      driver.advance(Duration.ofMillis(100)); // the back-off
      assertThat(batches).containsExactly(List.of("good", "poison", "again"), List.of("again"));
      assertThat(told(driver)).endsWith("c@2#2 FAILED");
      driver.advance(Duration.ofSeconds(1));
      assertThat(driver.deadLetters()).hasSize(2);
      assertThat(driver.committed(FIRST)).hasValue(3);
    }
  }

  @Test
  void whatTheHandlerThrowsFailsThoseWithoutAnOutcome() {
    IllegalStateException cause = new IllegalStateException("the warehouse does not answer");
    try (ConsumerDriver<String> driver =
        texts(BATCH)
            .subscribeBatch(
                records -> {
                  records.get(0).done();
                  if (records.size() > 1) {
                    throw cause;
                  }
                })) {
      for (int i = 0; i < 3; i++) {
        driver.send(record(0, "key-" + i, "" + i));
      }
      driver.run();

      assertThat(told(driver))
          .containsExactly("key-0@0#1 SUCCEEDED", "key-1@1#1 FAILED", "key-2@2#1 FAILED");
      assertThat(driver.attempts().get(2).failure()).containsSame(cause);
    }
  }

  @Test
  void theFirstOutcomeStandsAndIsTheOneThatIsTold() {
    List<Throwable> refused = new ArrayList<>();
    try (ConsumerDriver<String> driver =
        texts("batch: { max-records: 1 }")
            .subscribeBatch(
                records -> {
                  records.get(0).done();
                  try {
                    records.get(0).retry(new IllegalStateException("too late"));
                  } catch (IllegalStateException expected) {
                    refused.add(expected);
                  }
                })) {
      driver.send(record(0, "a", "1"));
      driver.run();

      assertThat(refused).hasSize(1);
      assertThat(told(driver)).containsExactly("a@0#1 SUCCEEDED");
    }
  }

  @Test
  void attemptsFailAsTheTestWantsAndTheHandlerGetsTheOthers() {
    try (ConsumerDriver<String> driver = texts(BATCH).subscribeBatch(this::note)) {
      for (int i = 0; i < 3; i++) {
        driver.send(record(0, "key-" + i, "" + i));
      }
      driver.failNext(2, new IllegalStateException("wanted"));
      driver.run();
      assertThat(batches).containsExactly(List.of("2"));
      driver.failNext(2, new IllegalStateException("wanted"));
      driver.advance(Duration.ofMillis(100));
      assertThat(batches).hasSize(1);

      driver.advance(Duration.ofMillis(200));
      assertThat(batches).containsExactly(List.of("2"), List.of("0", "1"));
      assertThat(told(driver)).endsWith("key-0@0#3 SUCCEEDED", "key-1@1#3 SUCCEEDED");
    }
  }

  @Test
  void aCrashBringsBackWhatWasNotCommitted() {
    try (ConsumerDriver<String> driver = texts(BATCH).subscribeBatch(this::note)) {
      for (int i = 0; i < 3; i++) {
        driver.send(record(0, "key-" + i, "" + i));
      }
      driver.run();
      driver.crash();
      driver.run();

      assertThat(batches).containsExactly(List.of("0", "1", "2"), List.of("0", "1", "2"));
    }
  }
}
