package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.ConsumerExplanation.CircuitState;
import dev.millrace.consumer.MessageConsumer;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a handler calls is down for longer than Kafka lets a consumer be away from its polls. */
@KafkaTest
class CircuitBreakerTest {
  private static final int RECORDS = 200;

  /** Open for more than twice {@code max.poll.interval.ms}. */
  private static final String CONFIG =
      """
      kafka:
        common: { bootstrap-servers: "${BROKERS}" }
        consumers:
          guarded:
            topics: ["${TOPIC}"]
            group-id: ${GROUP}
            concurrency: 4
            drain-timeout: 1s
            retry: { max-attempts: 3, backoff: { initial: 5s } }
            dead-letter: {}
            circuit-breaker: { failure-rate: 50, window: 4, open-for: 14s, probes: 2 }
            properties: { max.poll.interval.ms: 6000, group.protocol: "%s" }
      """;

  private final BrokerFixture broker;
  private final Map<String, Integer> attempts = new ConcurrentHashMap<>();
  private final Queue<String> handled = new ConcurrentLinkedQueue<>();
  private volatile boolean down = true;

  CircuitBreakerTest(KafkaCluster kafka, TestTopics topics) {
    broker = new BrokerFixture(kafka, topics);
  }

  @AfterEach
  void close() {
    broker.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"classic", "consumer"})
  void theMemberStaysAndNothingIsLostAndNoAttemptIsUsedUp(String protocol) throws Exception {
    broker.create(2);
    for (int i = 0; i < RECORDS; i++) {
      broker.sendLater("key-" + i, "record-" + i);
    }
    broker.flush();
    MessageConsumer consumer =
        broker
            .factory(CONFIG.formatted(protocol))
            .createConsumer("guarded", String.class)
            .subscribe(
                (value, context) -> {
                  attempts.merge(value, context.attempt(), Math::max);
                  if (down) {
                    throw new IllegalStateException("the warehouse does not answer");
                  }
                  handled.add(value);
                });
    await().atMost(SOON).until(() -> state(consumer) == CircuitState.OPEN);
    List<String> before = members();
    down = false;

    broker.awaitLagZero();
    assertThat(handled).hasSize(RECORDS).doesNotHaveDuplicates();
    // The one by which it opened, and the one that succeeds.
    assertThat(attempts.values()).allMatch(attempt -> attempt <= 2);
    assertThat(broker.read(broker.deadLetterTopic()).readAll()).isEmpty();
    assertThat(state(consumer)).isEqualTo(CircuitState.CLOSED);
    assertThat(members()).isEqualTo(before);
  }

  private static CircuitState state(MessageConsumer consumer) {
    return consumer.explain().starts().orElseThrow().circuit().orElseThrow().state();
  }

  /** Who is in the group: one who was away and comes back has another name or a later epoch. */
  private List<String> members() throws Exception {
    return broker
        .kafka()
        .admin()
        .describeConsumerGroups(List.of(broker.group()))
        .all()
        .get()
        .values()
        .stream()
        .flatMap(group -> group.members().stream())
        .map(member -> member.consumerId() + " " + member.memberEpoch())
        .sorted()
        .toList();
  }
}
