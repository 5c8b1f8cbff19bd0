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
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The dead-letter topic is deleted under a consumer and made anew: no failed record is lost or
 * passed, what is held stays within the channel, and nothing needs a restart. {@code
 * -Dmillrace.dead-letter.away=20000} is the long form.
 */
@KafkaTest
class DeadLetterTopicDeletedTest {
  private static final Duration AWAY =
      Duration.ofMillis(Long.getLong("millrace.dead-letter.away", 1_000));

  private static final int CAPACITY = 50;
  private static final int BEFORE = 20;
  private static final int ALL = 400;

  private final BrokerFixture broker;
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final Set<String> handled = new ConcurrentSkipListSet<>();

  DeadLetterTopicDeletedTest(KafkaCluster kafka, TestTopics topics) {
    broker = new BrokerFixture(kafka, topics);
  }

  @AfterEach
  void close() {
    broker.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"at-least-once", "exactly-once"})
  void nothingIsLostAndItGoesOnByItself(String semantics) {
    broker.create(2);
    broker.kafka().createTopic(broker.deadLetterTopic(), 2);
    MessageConsumer consumer =
        broker
            .factory(
                """
                kafka:
                  common: { bootstrap-servers: "${BROKERS}" }
                  consumers:
                    deleted:
                      topics: ["${TOPIC}"]
                      group-id: ${GROUP}
                      delivery-semantics: %s
                      concurrency: 8
                      channel-capacity: %d
                      retry: { max-attempts: 1 }
                      dead-letter: { create-topic: false }
                """
                    .formatted(semantics, CAPACITY),
                registry)
            .createConsumer("deleted", String.class)
            .subscribe(
                (value, context) -> {
                  if (isBad(value)) {
                    throw new IllegalStateException("never");
                  }
                  handled.add(value);
                });
    send(0, BEFORE);
    broker.awaitLagZero();
    assertThat(deadLetters()).isEqualTo(bad(0, BEFORE));

    assertThat(
            broker
                .kafka()
                .admin()
                .deleteTopics(List.of(broker.deadLetterTopic()))
                .all()
                .toCompletionStage()
                .toCompletableFuture())
        .succeedsWithin(SOON);
    send(BEFORE, ALL);

    // All that it holds waits for its dead letter: it takes no more, and says why.
    await()
        .atMost(SOON)
        .untilAsserted(() -> assertThat(consumer.explain().toString()).contains("full channel"));
    await()
        .during(AWAY)
        .atMost(SOON.plus(AWAY))
        .until(() -> registry.get("millrace.consumer.in.flight").gauge().value() <= CAPACITY);
    // Not at each moment: the first ones that try to send hold all workers for a second.
    await()
        .atMost(SOON)
        .untilAsserted(
            () ->
                assertThat(consumer.explain().toString())
                    .contains("dead letter is not acknowledged for"));
    assertThat(consumer.state()).isEqualTo(ConsumerState.RUNNING);
    broker.kafka().createTopic(broker.deadLetterTopic(), 2);

    broker.awaitLagZero();
    assertThat(deadLetters()).isEqualTo(bad(BEFORE, ALL));
    assertThat(handled)
        .isEqualTo(
            IntStream.range(0, ALL)
                .mapToObj(n -> "v" + n)
                .filter(value -> !isBad(value))
                .collect(Collectors.toCollection(TreeSet::new)));
    assertThat(consumer.state()).isEqualTo(ConsumerState.RUNNING);
  }

  private void send(int from, int to) {
    for (int n = from; n < to; n++) {
      broker.sendLater("k" + n, "v" + n);
    }
    broker.flush();
  }

  /** Nine of ten. */
  private static boolean isBad(String value) {
    return Integer.parseInt(value.substring(1)) % 10 != 0;
  }

  private static Set<String> bad(int from, int to) {
    return IntStream.range(from, to)
        .mapToObj(n -> "v" + n)
        .filter(DeadLetterTopicDeletedTest::isBad)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private Set<String> deadLetters() {
    return broker.read(broker.deadLetterTopic()).readAll().stream()
        .map(dead -> new String(dead.value(), UTF_8))
        .collect(Collectors.toCollection(TreeSet::new));
  }
}
