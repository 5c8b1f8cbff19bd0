package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.ConsumerState;
import dev.millrace.consumer.MessageConsumer;
import dev.millrace.errors.ConsumerFailedException;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Without a dead-letter topic, a record that can't be handled stops the consumer before it. */
@KafkaTest
class StopAtRecordTest {
  private static final String CONFIG =
      """
      kafka:
        common: { bootstrap-servers: "${BROKERS}" }
        consumers:
          stop-at-record:
            topics: ["${TOPIC}"]
            group-id: ${GROUP}
            retry: { max-attempts: 2, backoff: { initial: 1ms } }
      """;

  private final BrokerFixture broker;

  StopAtRecordTest(KafkaCluster kafka, TestTopics topics) {
    broker = new BrokerFixture(kafka, topics);
  }

  @AfterEach
  void close() {
    broker.close();
  }

  @Test
  void theConsumerFailsWithTheCauseAndTheGroupGoesOnAtThatRecord() {
    broker.create(1);
    broker.send("a", "good");
    broker.send("b", "bad");
    broker.send("c", "after");
    IllegalStateException cause = new IllegalStateException("cannot be handled");
    SimpleMeterRegistry registry = new SimpleMeterRegistry();

    MessageConsumer consumer =
        broker
            .factory(CONFIG, registry)
            .createConsumer("stop-at-record", String.class)
            .subscribe(
                (value, context) -> {
                  // What is done below is so for certain: "bad" fails only when the others have
                  // ended.
                  if (value.equals("bad")) {
                    await().atMost(SOON).until(() -> handledBy(registry) >= 2);
                    throw cause;
                  }
                });
    Counter stopped = registry.get("millrace.consumer.records").tag("outcome", "stopped").counter();

    assertThatThrownBy(() -> consumer.awaitClosed(SOON))
        .isInstanceOf(ConsumerFailedException.class)
        .hasMessageContaining(broker.topic() + "-0@1")
        .hasCause(cause);
    assertThat(consumer.state()).isEqualTo(ConsumerState.FAILED);
    assertThat(consumer.failure()).get().isInstanceOf(ConsumerFailedException.class);
    assertThatThrownBy(consumer::awaitClosed).hasCause(cause);
    assertThat(stopped.count()).isEqualTo(1);
    assertThat(broker.committed(0)).isEqualTo(1);

    Queue<String> seen = new ConcurrentLinkedQueue<>();
    broker
        .factory(CONFIG)
        .createConsumer("stop-at-record", String.class)
        .subscribe((value, context) -> seen.add(value + "#" + context.attempt()));
    broker.awaitLagZero();
    assertThat(seen).containsExactly("bad#1");
  }

  private static double handledBy(SimpleMeterRegistry registry) {
    return registry.get("millrace.consumer.records").tag("outcome", "handled").counter().count();
  }
}
