package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.ConsumerState;
import dev.millrace.consumer.MessageConsumer;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A dead letter that can't be written is neither dropped nor passed, and needs no restart. */
@KafkaTest
class DeadLetterTopicMissingTest {
  private final BrokerFixture broker;

  DeadLetterTopicMissingTest(KafkaCluster kafka, TestTopics topics) {
    broker = new BrokerFixture(kafka, topics);
  }

  @AfterEach
  void close() {
    broker.close();
  }

  @Test
  void theRecordWaitsWhileOthersGoOnAndArrivesOnceTheTopicIsThere() {
    broker.create(1);
    broker.send("a", "good");
    broker.send("b", "bad");
    Queue<String> seen = new ConcurrentLinkedQueue<>();
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    MessageConsumer consumer =
        broker
            .factory(
                """
                kafka:
                  common: { bootstrap-servers: "${BROKERS}" }
                  consumers:
                    topic-missing:
                      topics: ["${TOPIC}"]
                      group-id: ${GROUP}
                      retry: { max-attempts: 1 }
                      dead-letter: { create-topic: false }
                """,
                registry)
            .createConsumer("topic-missing", String.class)
            .subscribe(
                (value, context) -> {
                  seen.add(value);
                  if (value.equals("bad")) {
                    throw new IllegalStateException();
                  }
                });

    await()
        .atMost(SOON)
        .until(() -> registry.get("millrace.consumer.dead.letter.failures").counter().count() >= 1);
    broker.send("c", "meanwhile");
    await().atMost(SOON).until(() -> seen.contains("meanwhile"));
    await().atMost(SOON).until(() -> broker.committed(0) == 1);
    assertThat(consumer.state()).isEqualTo(ConsumerState.RUNNING);
    // A commit that passed the record would come within the commit interval of 100 ms.
    broker.send("d", "later");
    await().atMost(SOON).until(() -> handled(registry) == 3);
    await().during(Duration.ofMillis(500)).atMost(SOON).until(() -> broker.committed(0) == 1);

    broker.kafka().createTopic(broker.deadLetterTopic(), 1);

    broker.awaitLagZero();
    assertThat(broker.read(broker.deadLetterTopic()).readAll())
        .singleElement()
        .satisfies(dead -> assertThat(dead.value()).asString().isEqualTo("bad"));
    assertThat(seen).containsExactlyInAnyOrder("good", "bad", "meanwhile", "later");
    assertThat(consumer.state()).isEqualTo(ConsumerState.RUNNING);
  }

  private static double handled(SimpleMeterRegistry registry) {
    return registry.get("millrace.consumer.records").tag("outcome", "handled").counter().count();
  }
}
