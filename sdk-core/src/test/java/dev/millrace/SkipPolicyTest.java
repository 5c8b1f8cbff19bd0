package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.ConsumerState;
import dev.millrace.consumer.MessageConsumer;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import dev.millrace.testkit.probe.GroupProbe;
import dev.millrace.testkit.probe.TopicProbe;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code on-failure: skip}: a record that fails for ever is passed over, and the group knows. */
@KafkaTest
class SkipPolicyTest {
  private static final String CONFIG =
      """
      kafka:
        common: { bootstrap-servers: "${BROKERS}" }
        consumers:
          skipping:
            topics: ["${TOPIC}"]
            group-id: ${GROUP}
            delivery-semantics: %s
            retry: %s
            on-failure: skip
      """;

  private final BrokerFixture broker;
  private final KafkaCluster kafka;
  private final TestTopics topics;
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final Queue<Integer> attempts = new ConcurrentLinkedQueue<>();

  SkipPolicyTest(KafkaCluster kafka, TestTopics topics) {
    this.broker = new BrokerFixture(kafka, topics);
    this.kafka = kafka;
    this.topics = topics;
  }

  @AfterEach
  void close() {
    broker.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"at-least-once", "exactly-once"})
  void afterItsLastRetryTopic(String semantics) {
    broker.create(1);
    broker.send("a", "bad");
    broker.send("b", "good");

    MessageConsumer consumer = start(semantics, "{ max-attempts: 1, topics: [10ms, 10ms] }");

    await().atMost(SOON).until(() -> outcome("skipped") == 1 && outcome("handled") == 1);
    String last = broker.topic() + "." + broker.group() + ".retry.2";
    await().atMost(SOON).until(() -> isPassed(last));
    broker.awaitLagZero();
    assertThat(attempts).containsExactly(1, 2, 3);
    assertThat(consumer.state()).isEqualTo(ConsumerState.RUNNING);
    assertThat(broker.kafka().admin().listTopics().names())
        .satisfies(names -> assertThat(names.get()).doesNotContain(broker.deadLetterTopic()));
  }

  /** To skip it is an end like any other: it needs no other record in its transaction. */
  @Test
  void aloneInATransaction() {
    broker.create(1);
    broker.send("a", "bad");

    start("exactly-once", "{ max-attempts: 2, backoff: { initial: 1ms } }");

    broker.awaitLagZero();
    await().atMost(SOON).until(() -> outcome("skipped") == 1);
    assertThat(attempts).containsExactly(1, 2);
  }

  @Test
  void whenNoTransactionCanHoldItsOutput() {
    String small = topics.name("small");
    kafka.createTopic(small, 1, Map.of("max.message.bytes", "1000"));
    broker.create(1);
    broker.send("a", "x".repeat(5_000));
    // Longer than what is left over in the too large one's batch: there it would be for ever, since
    // the client can't split the two (kafka-clients 4.3.1).
    String good = "good".repeat(30);
    broker.send("b", good);

    broker
        .factory(CONFIG.formatted("exactly-once", "{ max-attempts: 1 }"), registry)
        .createConsumer("skipping", String.class)
        .subscribe((value, context) -> context.send(small, context.key(), value));

    broker.awaitLagZero();
    assertThat(
            TopicProbe.of(kafka.bootstrapServers(), small, IsolationLevel.READ_COMMITTED).readAll())
        .singleElement()
        .satisfies(record -> assertThat(new String(record.value(), UTF_8)).isEqualTo(good));
    await().atMost(SOON).until(() -> outcome("skipped") == 1);
  }

  private MessageConsumer start(String semantics, String retry) {
    return broker
        .factory(CONFIG.formatted(semantics, retry), registry)
        .createConsumer("skipping", String.class)
        .subscribe(
            (value, context) -> {
              if (value.equals("bad")) {
                attempts.add(context.attempt());
                throw new IllegalStateException("never");
              }
            });
  }

  /** What went from its last retry topic to nowhere is behind its offset. */
  private boolean isPassed(String topic) {
    TopicPartition only = new TopicPartition(topic, 0);
    OffsetAndMetadata committed =
        GroupProbe.of(kafka.bootstrapServers(), broker.group(), topic).committed().get(only);
    return committed != null && committed.offset() >= 1;
  }

  private double outcome(String outcome) {
    return registry.get("millrace.consumer.records").tag("outcome", outcome).counter().count();
  }
}
