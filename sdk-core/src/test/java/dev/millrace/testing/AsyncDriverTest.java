package dev.millrace.testing;

import static dev.millrace.testing.DriverFixture.record;
import static dev.millrace.testing.DriverFixture.texts;
import static dev.millrace.testing.DriverFixture.told;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Asynchronous handlers: their stages end when the test wants it. */
class AsyncDriverTest {
  private static final TopicPartition FIRST = new TopicPartition("orders", 0);

  /** By value. */
  private final Map<String, CompletableFuture<@Nullable Void>> stages = new LinkedHashMap<>();

  private ConsumerDriver<String> driver(String more) {
    return texts(more)
        .subscribeAsync(
            (text, context) -> {
              CompletableFuture<@Nullable Void> stage = new CompletableFuture<>();
              stages.put(text, stage);
              return stage;
            });
  }

  private void complete(String text) {
    stages.get(text).complete(null);
  }

  @Test
  void untilItsStageCompletesARecordHoldsItsKeyAndItsOffset() {
    try (ConsumerDriver<String> driver = driver("")) {
      driver.send(record(0, "a", "1"));
      driver.send(record(0, "a", "2"));
      driver.send(record(0, "b", "3"));
      driver.advance(Duration.ofSeconds(1));
      assertThat(told(driver)).containsExactly("a@0#1 RUNNING", "b@2#1 RUNNING");
      assertThat(driver.committed(FIRST)).hasValue(0);
      assertThat(driver.explain().permits().used()).isEqualTo(2);

      complete("1");
      assertThat(told(driver)).hasSize(2);
      driver.run();

      assertThat(told(driver)).containsExactly("a@0#1 SUCCEEDED", "b@2#1 RUNNING", "a@1#1 RUNNING");
      complete("2");
      complete("3");
      driver.advance(Duration.ofMillis(50));
      assertThat(driver.committed(FIRST)).hasValue(3);
    }
  }

  @Test
  void atMostSoManyStagesRunAsConcurrencySays() {
    try (ConsumerDriver<String> driver = driver("concurrency: 2")) {
      for (int i = 0; i < 5; i++) {
        driver.send(record(0, "key-" + i, "" + i));
      }
      driver.run();
      assertThat(stages.keySet()).containsExactly("0", "1");

      complete("1");
      driver.run();
      assertThat(stages.keySet()).containsExactly("0", "1", "2");
    }
  }

  /** With a full channel the poll loop waits for room; no time passes for it. */
  @Test
  void aFullChannelTakesNoMore() {
    try (ConsumerDriver<String> driver = driver("concurrency: 4\n      channel-capacity: 4")) {
      for (int i = 0; i < 9; i++) {
        driver.send(record(0, "key-" + i, "" + i));
      }
      driver.run();
      assertThat(stages).hasSize(4);
      assertThat(driver.now()).isEqualTo(Instant.EPOCH);
      driver.advance(Duration.ofSeconds(1));
      assertThat(driver.now()).isEqualTo(Instant.EPOCH.plusSeconds(1));
      assertThat(stages).hasSize(4);

      List.copyOf(stages.keySet()).forEach(this::complete);
      driver.run();
      assertThat(stages).hasSize(8);
    }
  }

  @Test
  void aStageThatFailsIsAFailedAttempt() {
    try (ConsumerDriver<String> driver = driver("")) {
      driver.send(record(0, "a", "1"));
      driver.run();
      IllegalStateException cause = new IllegalStateException("the warehouse does not answer");
      stages.get("1").completeExceptionally(new CompletionException(cause));
      driver.run();
      assertThat(driver.attempts().get(0).failure()).containsSame(cause);

      driver.advance(Duration.ofMillis(100));
      assertThat(told(driver)).containsExactly("a@0#1 FAILED", "a@0#2 RUNNING");
      complete("1");
    }
  }

  @Test
  void aStageThatHasCompletedAndOneThatIsNoneEndAtOnce() {
    List<String> seen = new ArrayList<>();
    try (ConsumerDriver<String> driver =
        texts("")
            .subscribeAsync(
                (text, context) -> {
                  seen.add(text);
                  return text.equals("none") ? null : CompletableFuture.completedFuture("done");
                })) {
      driver.send(record(0, "a", "done"));
      driver.send(record(0, "b", "none"));
      driver.advance(Duration.ofSeconds(1));

      assertThat(seen).containsExactly("done", "none", "none", "none");
      assertThat(driver.deadLetters().get(0).headers().get("millrace-exception-message"))
          .contains("returned null");
    }
  }

  @Test
  void attemptsFailAsTheTestWants() {
    try (ConsumerDriver<String> driver = driver("")) {
      driver.send(record(0, "a", "1"));
      driver.failNext(1, new IllegalStateException("once"));
      driver.run();
      assertThat(stages).isEmpty();
      assertThat(told(driver)).containsExactly("a@0#1 FAILED");
    }
  }

  @Test
  void anyThreadMayCompleteAStage() throws InterruptedException {
    try (ConsumerDriver<String> driver = driver("")) {
      driver.send(record(0, "a", "1"));
      driver.run();
      Thread other = new Thread(() -> complete("1"));
      other.start();
      other.join();
      driver.advance(Duration.ofMillis(50));

      assertThat(told(driver)).containsExactly("a@0#1 SUCCEEDED");
      assertThat(driver.committed(FIRST)).hasValue(1);
    }
  }

  @Test
  void aCrashAbortsWhatRunsAndALateEndCountsNoMore() {
    try (ConsumerDriver<String> driver = driver("")) {
      driver.send(record(0, "a", "1"));
      driver.run();
      CompletableFuture<@Nullable Void> old = stages.get("1");
      driver.crash();
      old.complete(null);
      driver.advance(Duration.ofSeconds(1));

      assertThat(told(driver)).containsExactly("a@0#1 ABORTED", "a@0#1 RUNNING");
      assertThat(driver.committed(FIRST)).hasValue(0);
    }
  }

  /** A key that comes back waits behind its own old flight. */
  @Test
  void aRebalanceWaitsForWhatRunsAsLongAsItMay() {
    try (ConsumerDriver<String> driver = driver("")) {
      driver.send(record(0, "a", "1"));
      driver.run();
      driver.rebalance();
      assertThat(driver.now()).isEqualTo(Instant.EPOCH.plusSeconds(2)); // drain-timeout
      driver.run();
      assertThat(told(driver)).containsExactly("a@0#1 RUNNING");

      complete("1");
      driver.run();
      assertThat(told(driver)).containsExactly("a@0#1 SUCCEEDED", "a@0#1 RUNNING");
    }
  }

  @Test
  void aRebalanceTakesWhatEndsInTime() {
    try (ConsumerDriver<String> driver = driver("")) {
      driver.send(record(0, "a", "1"));
      driver.run();
      complete("1");
      driver.rebalance();

      assertThat(driver.now()).isEqualTo(Instant.EPOCH);
      assertThat(driver.committed(FIRST)).hasValue(1);
    }
  }
}
