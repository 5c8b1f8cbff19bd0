package dev.millrace.testing;

import static dev.millrace.testing.DriverFixture.record;
import static dev.millrace.testing.DriverFixture.told;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.config.ConfigLoader;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What an at-most-once consumer's handler sees, whatever happens around it. */
class AtMostOnceDriverTest {
  private static final TopicPartition FIRST = new TopicPartition("orders", 0);
  private static final String CONFIG =
      """
      kafka:
        common: { bootstrap-servers: 'localhost:9092' }
        consumers:
          order-consumer:
            topics: [orders]
            group-id: stock
            delivery-semantics: at-most-once
            on-missing-offset: earliest
      """;

  private final ConsumerDriver<String> driver =
      ConsumerDriver.builder(
              ConfigLoader.create().parse("test.yaml", CONFIG), "order-consumer", String.class)
          .subscribe((text, context) -> {});

  @AfterEach
  void close() {
    driver.close();
  }

  @Test
  void afterACrashNothingComesAgainThoughItHasJustStarted() {
    driver.send(record(0, "a", "1"));
    driver.send(record(0, "b", "2"));
    driver.failNext(1, new IllegalStateException("out of stock"));
    driver.run();
    assertThat(driver.committed(FIRST)).hasValue(2);
    driver.crash();
    driver.send(record(0, "c", "3"));
    driver.run();

    assertThat(told(driver)).containsExactly("a@0#1 FAILED", "b@1#1 SUCCEEDED", "c@2#1 SUCCEEDED");
  }

  @Test
  void afterALostSessionAndARebalanceNothingComesAgain() {
    driver.send(record(0, "a", "1"));
    driver.run();
    driver.lose();
    driver.run();
    driver.rebalance();
    driver.run();

    assertThat(told(driver)).containsExactly("a@0#1 SUCCEEDED");
  }

  @Test
  void aCommitThatSucceedsAtTheThirdTryLetsTheRecordStart() {
    driver.failCommits(2);
    driver.send(record(0, "a", "1"));
    driver.run();

    assertThat(told(driver)).containsExactly("a@0#1 SUCCEEDED");
  }

  /** The driver's time-outs are those of a commit that may have been taken. */
  @Test
  void whatIsNotKnownToBeCommittedNeverStarts() {
    driver.failCommits(10);
    driver.send(record(0, "a", "1"));
    driver.run();
    driver.send(record(0, "b", "2"));
    driver.run();

    assertThat(told(driver)).containsExactly("b@1#1 SUCCEEDED");
    assertThat(driver.committed(FIRST)).hasValue(2);
  }
}
