package dev.millrace.testing;

import static dev.millrace.testing.DriverFixture.record;
import static dev.millrace.testing.DriverFixture.texts;
import static dev.millrace.testing.DriverFixture.told;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.consumer.ConsumerState;
import java.time.Duration;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What comes again after a crash, a lost session, a rebalance, a restart. */
class RedeliveryTest {
  private static final TopicPartition FIRST = new TopicPartition("orders", 0);

  private final ConsumerDriver<String> driver = texts("").subscribe((text, context) -> {});

  @AfterEach
  void close() {
    driver.close();
  }

  /** Of three records, the first waits for its second attempt. */
  private void handleThreeOfWhichTheFirstFails() {
    driver.send(record(0, "a", "1"));
    driver.send(record(0, "b", "2"));
    driver.send(record(0, "c", "3"));
    driver.failNext(1, new IllegalStateException("once"));
    driver.run();
    assertThat(told(driver)).containsExactly("a@0#1 FAILED", "b@1#1 SUCCEEDED", "c@2#1 SUCCEEDED");
  }

  @Test
  void afterACrashAllComesAgainThatWasNotCommitted() {
    handleThreeOfWhichTheFirstFails();
    driver.crash();
    driver.run();

    assertThat(told(driver).subList(3, 6))
        .containsExactly("a@0#1 SUCCEEDED", "b@1#1 SUCCEEDED", "c@2#1 SUCCEEDED");
  }

  @Test
  void afterACrashNothingComesAgainThatWasCommitted() {
    driver.send(record(0, "a", "1"));
    driver.advance(Duration.ofMillis(50));
    driver.send(record(0, "b", "2"));
    driver.run();
    driver.crash();
    driver.run();

    assertThat(told(driver))
        .containsExactly("a@0#1 SUCCEEDED", "b@1#1 SUCCEEDED", "b@1#1 SUCCEEDED");
  }

  @Test
  void afterACrashNothingComesAgainThatWasSavedBeyondTheOffset() {
    handleThreeOfWhichTheFirstFails();
    driver.advance(Duration.ofMillis(50));
    assertThat(driver.committed(FIRST)).hasValue(0);
    driver.crash();
    driver.run();

    assertThat(told(driver)).hasSize(4);
    assertThat(told(driver).get(3)).isEqualTo("a@0#1 SUCCEEDED");
  }

  @Test
  void aRetryOfAProcessThatIsGoneIsNotMade() {
    handleThreeOfWhichTheFirstFails();
    driver.crash();
    driver.advance(Duration.ofSeconds(10));

    assertThat(told(driver)).hasSize(6);
  }

  @Test
  void aLostSessionCommitsNothing() {
    handleThreeOfWhichTheFirstFails();
    driver.lose();
    assertThat(driver.committed(FIRST)).isEmpty();
    driver.advance(Duration.ofSeconds(10));

    assertThat(told(driver).subList(3, 6))
        .containsExactlyInAnyOrder("a@0#1 SUCCEEDED", "b@1#1 SUCCEEDED", "c@2#1 SUCCEEDED");
    assertThat(told(driver)).hasSize(6);
    assertThat(driver.committed(FIRST)).hasValue(3);
  }

  @Test
  void aRebalanceCommitsWhatIsDoneAndBringsTheRestAgain() {
    handleThreeOfWhichTheFirstFails();
    driver.rebalance();
    assertThat(driver.committed(FIRST)).hasValue(0);
    driver.advance(Duration.ofSeconds(10));

    assertThat(told(driver).subList(3, 4)).containsExactly("a@0#2 SUCCEEDED");
    assertThat(told(driver)).hasSize(4);
    assertThat(driver.committed(FIRST)).hasValue(3);
  }

  @Test
  void aRebalanceWhoseCommitIsRefusedBringsAllAgain() {
    handleThreeOfWhichTheFirstFails();
    driver.failCommits(1);
    driver.rebalance();
    driver.run();
    assertThat(told(driver).subList(3, 5)).containsExactly("b@1#1 SUCCEEDED", "c@2#1 SUCCEEDED");

    // The key that waited for its retry goes on waiting.
    driver.advance(Duration.ofMillis(100));
    assertThat(told(driver)).hasSize(6);
    assertThat(told(driver).get(5)).isEqualTo("a@0#1 SUCCEEDED");
  }

  @Test
  void aRestartCommitsWhatIsDone() {
    handleThreeOfWhichTheFirstFails();
    driver.restart();
    driver.run();

    assertThat(told(driver).subList(3, 4)).containsExactly("a@0#1 SUCCEEDED");
    assertThat(told(driver)).hasSize(4);
  }

  @Test
  void theCloseCommitsWhatIsDone() {
    driver.send(record(0, "a", "1"));
    driver.run();
    driver.close();

    assertThat(driver.committed(FIRST)).hasValue(1);
    assertThat(driver.state()).isEqualTo(ConsumerState.CLOSED);
    assertThat(driver.attempts()).hasSize(1);
    assertThat(driver.deadLetters()).isEmpty();
  }
}
