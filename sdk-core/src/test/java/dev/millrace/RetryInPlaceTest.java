package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.testkit.EmbeddedKafka;
import dev.millrace.testkit.KafkaTest;
import dev.millrace.testkit.TestTopics;
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

  RetryInPlaceTest(EmbeddedKafka kafka, TestTopics topics) {
    broker = new BrokerFixture(kafka, topics);
  }

  @AfterEach
  void close() {
    broker.close();
  }

  /** With one permit: a back-off that held its worker would let nobody else on. */
  @Test
  void aKeyInBackoffWaitsForItselfWhileOthersGoOn() {
    broker.create(1);
    broker.send("a", "a1");
    broker.send("a", "a2");
    broker.send("b", "b1");
    KafkaFactory factory =
        broker.factory(
            """
            kafka:
              common: { bootstrap-servers: "${BROKERS}" }
              consumers:
                retry-in-place:
                  topics: ["${TOPIC}"]
                  group-id: ${GROUP}
                  concurrency: 1
                  retry: { max-attempts: 3, backoff: { initial: 1s, multiplier: 1, jitter: 0 } }
            """);
    factory
        .createConsumer("retry-in-place", String.class)
        .subscribe(
            (value, context) -> {
              seen.add(value + "#" + context.attempt());
              if (value.equals("a1") && context.attempt() < 3) {
                throw new IllegalStateException("not yet");
              }
            });

    broker.awaitLagZero();
    assertThat(seen).containsExactly("a1#1", "b1#1", "a1#2", "a1#3", "a2#1");
  }

  @Test
  void anErrorIsAFailureLikeAnyOther() {
    broker.create(1);
    broker.send("stack", "1");
    broker.send("assert", "2");
    KafkaFactory factory =
        broker.factory(
            """
            kafka:
              common: { bootstrap-servers: "${BROKERS}" }
              consumers:
                retry-errors:
                  topics: ["${TOPIC}"]
                  group-id: ${GROUP}
                  retry: { max-attempts: 2, backoff: { initial: 1ms } }
            """);
    factory
        .createConsumer("retry-errors", String.class)
        .subscribe(
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
}
