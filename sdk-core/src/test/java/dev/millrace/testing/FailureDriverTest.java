package dev.millrace.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.consumer.FailureClassifier.Decision;
import dev.millrace.errors.NonRetryableException;
import dev.millrace.errors.PayloadException;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;

/** Which failures are worth another attempt, and for how long: through the real pipeline. */
class FailureDriverTest {
  private static final String LISTED =
      "topics: [10s], non-retryable: [java.lang.IllegalArgumentException]";
  private static final String BECAUSE_LISTED =
      "non-retryable: java.lang.IllegalArgumentException listed";

  @Test
  void whatNoAttemptCanHelpIsADeadLetterAtOnceAndItsKeyGoesOn() {
    try (ConsumerDriver<String> driver =
        texts(LISTED)
            .subscribe(
                (text, context) -> {
                  if (text.equals("12a")) {
                    throw new RuntimeException(new NumberFormatException(text));
                  }
                })) {
      driver.send("key", "12a");
      driver.send("key", "12");
      driver.run();

      assertThat(states(driver)).containsExactly("key#1 FAILED", "key#1 SUCCEEDED");
      assertThat(whyDead(driver)).containsExactly("1 " + BECAUSE_LISTED);
    }
  }

  @Test
  void aStageThatFailsIsJudgedByWhatItsWorkFailedWith() {
    try (ConsumerDriver<String> driver =
        texts(LISTED)
            .subscribeAsync(
                (text, context) ->
                    CompletableFuture.failedFuture(
                        new ExecutionException(new NumberFormatException(text))))) {
      driver.send("key", "12a");
      driver.run();

      assertThat(whyDead(driver)).containsExactly("1 " + BECAUSE_LISTED);
    }
  }

  @Test
  void aBatchThatFailsIsJudgedForEachOfItsRecords() {
    try (ConsumerDriver<String> driver =
        texts(LISTED)
            .subscribeBatch(
                records ->
                    records.forEach(
                        record -> {
                          switch (record.value()) {
                            case "12" -> record.done();
                            case "later" -> record.retry(new IllegalStateException());
                            case "never" -> record.retry(new IllegalArgumentException());
                            default -> record.deadLetter(new IOException());
                          }
                        }))) {
      List.of("12", "later", "never", "dead").forEach(text -> driver.send("key", text));
      driver.advance(Duration.ofMillis(150));

      assertThat(whyDead(driver)).containsExactly("1 " + BECAUSE_LISTED, "1 by its handler");
    }
  }

  @Test
  void aServiceThrowsWhatSaysItItself() {
    try (ConsumerDriver<String> driver =
        texts("topics: [10s]")
            .subscribe(
                (text, context) -> {
                  throw new NonRetryableException("no such customer", null);
                })) {
      driver.send("key", "text");
      driver.run();

      assertThat(whyDead(driver)).containsExactly("1 non-retryable: thrown as such");
    }
  }

  @Test
  void aServiceJudgesForItself() {
    try (ConsumerDriver<String> driver =
        texts(LISTED)
            .failureClassifier(
                failure ->
                    failure instanceof NumberFormatException ? Decision.RETRY : Decision.GIVE_UP)
            .subscribe(
                (text, context) -> {
                  throw text.equals("12a")
                      ? new NumberFormatException(text)
                      : new IllegalStateException();
                })) {
      driver.send("key", "12a");
      driver.send("other", "text");
      driver.run();

      assertThat(whyDead(driver)).containsExactly("1 non-retryable: as classified");
      driver.advance(Duration.ofMillis(150));
      assertThat(states(driver)).containsExactly("key#1 FAILED", "other#1 FAILED", "key#2 FAILED");
    }
  }

  @Test
  void aClassifierThatFailsLosesNoRecord() {
    try (ConsumerDriver<String> driver =
        texts("max-duration: 0ms")
            .failureClassifier(
                failure -> {
                  throw new StackOverflowError();
                })
            .subscribe(
                (text, context) -> {
                  throw new IllegalStateException();
                })) {
      driver.send("key", "text");
      driver.advance(Duration.ofSeconds(5));

      assertThat(whyDead(driver)).containsExactly("3 attempts used up");
    }
  }

  @Test
  void bytesThatDoNotDecodeAreTriedAgainOnlyIfTheServiceWantsIt() {
    for (Decision decision : Decision.values()) {
      try (ConsumerDriver<DriverFixture.Order> driver =
          ConsumerDriver.builder(
                  DriverFixture.withRetry("max-duration: 0ms"),
                  "order-consumer",
                  DriverFixture.Order.class)
              .failureClassifier(
                  failure -> failure instanceof PayloadException ? decision : Decision.DEFAULT)
              .subscribe((order, context) -> {})) {
        driver.send(DriverFixture.record(0, "key", "no JSON"));
        driver.advance(Duration.ofSeconds(5));

        assertThat(whyDead(driver))
            .containsExactly(decision == Decision.RETRY ? "3 attempts used up" : "1 undecodable");
      }
    }
  }

  /** The waits are 100 ms and 200 ms. */
  @Test
  void noAttemptIsDueAfterTheMaximumDuration() {
    try (ConsumerDriver<String> driver =
        texts("max-duration: 299ms")
            .subscribe(
                (text, context) -> {
                  throw new IllegalStateException();
                })) {
      driver.advance(Duration.ofMinutes(1));
      driver.send("key", "text");
      driver.send("key", "next");
      driver.run();
      driver.advance(Duration.ofMillis(100));
      assertThat(whyDead(driver)).containsExactly("2 max-duration reached");
      driver.advance(Duration.ofSeconds(5));

      assertThat(whyDead(driver))
          .containsExactly("2 max-duration reached", "2 max-duration reached");
    }
  }

  @Test
  void theMaximumDurationBeginsAnewInARetryTopic() {
    try (ConsumerDriver<String> driver =
        texts("max-duration: 100ms, topics: [10s]")
            .subscribe(
                (text, context) -> {
                  throw new IllegalStateException();
                })) {
      driver.send("key", "text");
      driver.advance(Duration.ofMinutes(1));

      assertThat(states(driver))
          .containsExactly("key#1 FAILED", "key#2 FAILED", "key#3 FAILED", "key#4 FAILED");
      assertThat(whyDead(driver)).containsExactly("4 max-duration reached");
    }
  }

  /** It begins with the first attempt, not when the record was polled. */
  @Test
  void theMaximumDurationDoesNotCountTheWaitBehindAnother() {
    try (ConsumerDriver<String> driver =
        texts("max-duration: 300ms")
            .subscribe(
                (text, context) -> {
                  throw new IllegalStateException();
                })) {
      driver.send("key", "text");
      driver.send("key", "behind it");
      driver.advance(Duration.ofSeconds(5));

      assertThat(whyDead(driver)).containsExactly("3 attempts used up", "3 attempts used up");
    }
  }

  private static ConsumerDriver.Builder<String> texts(String retry) {
    return ConsumerDriver.builder(DriverFixture.withRetry(retry), "order-consumer", String.class);
  }

  private static List<String> states(ConsumerDriver<?> driver) {
    return driver.attempts().stream()
        .map(attempt -> attempt.key() + "#" + attempt.number() + " " + attempt.state())
        .toList();
  }

  /** Returns of each dead letter the number of attempts, and why there was no other. */
  private static List<String> whyDead(ConsumerDriver<?> driver) {
    return driver.deadLetters().stream()
        .map(
            letter ->
                letter.headers().get("millrace-attempts")
                    + " "
                    + letter.headers().get("millrace-gave-up"))
        .toList();
  }
}
