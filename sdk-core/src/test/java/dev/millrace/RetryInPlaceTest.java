package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.RecordHandler;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A failure that passes: the record is tried again where it is, and only its own key waits. */
@KafkaTest
class RetryInPlaceTest {
  private final BrokerFixture broker;
  private final Queue<String> seen = new ConcurrentLinkedQueue<>();

  RetryInPlaceTest(KafkaCluster kafka, TestTopics topics) {
    broker = new BrokerFixture(kafka, topics);
  }

  @AfterEach
  void close() {
    broker.close();
  }

  @Test
  void laterRecordsOfTheKeyWaitForTheRetries() {
    broker.create(1);
    broker.send("a", "a1");
    broker.send("a", "a2");

    subscribe(
        "50ms",
        (value, context) -> {
          seen.add(value + "#" + context.attempt());
          if (value.equals("a1") && context.attempt() < 3) {
            throw new IllegalStateException("not yet");
          }
        });

    broker.awaitLagZero();
    assertThat(seen).containsExactly("a1#1", "a1#2", "a1#3", "a2#1");
  }

  /** There is one permit: a back-off that kept it would let nobody else on for ten minutes. */
  @Test
  void otherKeysGoOnWhileAKeyIsInBackoff() {
    broker.create(1);
    broker.send("a", "a1");
    broker.send("a", "a2");
    broker.send("b", "b1");

    subscribe(
        "10m",
        (value, context) -> {
          seen.add(value + "#" + context.attempt());
          if (value.equals("a1")) {
            throw new IllegalStateException("not yet");
          }
        });
    await().atMost(SOON).until(() -> seen.contains("b1#1"));
    broker.send("c", "c1");
    await().atMost(SOON).until(() -> seen.contains("c1#1"));

    assertThat(seen).containsExactly("a1#1", "b1#1", "c1#1");
    assertThat(broker.committed(0)).isLessThanOrEqualTo(0);
  }

  @Test
  void anErrorIsAFailureLikeAnyOther() {
    broker.create(1);
    broker.send("stack", "1");
    broker.send("assert", "2");

    subscribe(
        "1ms",
        (value, context) -> {
          seen.add(context.key() + "#" + context.attempt());
          if (context.attempt() == 1) {
            throw value.equals("1") ? new StackOverflowError() : new AssertionError("broken");
          }
        });

    await()
        .atMost(SOON)
        .untilAsserted(
            () ->
                assertThat(seen)
                    .containsExactlyInAnyOrderElementsOf(
                        List.of("stack#1", "stack#2", "assert#1", "assert#2")));
    broker.awaitLagZero();
  }

  private void subscribe(String backoff, RecordHandler<String> handler) {
    broker
        .factory(
            """
            kafka:
              common: { bootstrap-servers: "${BROKERS}" }
              consumers:
                retry-in-place:
                  topics: ["${TOPIC}"]
                  group-id: ${GROUP}
                  concurrency: 1
                  retry:
                    max-attempts: 3
                    backoff: { initial: %s, multiplier: 1, max: 10m, jitter: 0 }
            """
                .formatted(backoff))
        .createConsumer("retry-in-place", String.class)
        .subscribe(handler);
  }
}
