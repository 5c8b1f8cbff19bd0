package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.ConsumerExplanation;
import dev.millrace.consumer.ConsumerExplanation.CircuitState;
import dev.millrace.consumer.MessageConsumer;
import dev.millrace.consumer.PreparedConsumer;
import dev.millrace.consumer.RecordContext;
import dev.millrace.consumer.Replay;
import dev.millrace.consumer.ReplayRange;
import dev.millrace.consumer.ReplaySummary;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * An open circuit where there is no group that deals partitions out: in a queue, and in a replay.
 */
@KafkaTest
class CircuitModesTest {
  private static final int RECORDS = 20;

  /** Long enough for hundreds of attempts. */
  private static final Duration A_WHILE = Duration.ofMillis(300);

  /** Without a circuit, all attempts are used up while nothing answers. */
  private static final String CONFIG =
      """
      kafka:
        common: { bootstrap-servers: "${BROKERS}" }
        defaults:
          consumers:
            group-id: ${GROUP}
            concurrency: 2
            commit-interval: 20ms
            retry: { max-attempts: 50, backoff: { initial: 1ms, max: 1ms } }
            dead-letter: {}
            circuit-breaker:
              { failure-rate: 100, window: 2, minimum-calls: 2, open-for: %s, probes: 1 }
        consumers:
          queue: { mode: queue, topics: ["${TOPIC}"] }
          replayed: { topics: ["${TOPIC}"] }
      """;

  private final BrokerFixture broker;
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final AtomicInteger failures = new AtomicInteger();
  private final Queue<String> handled = new ConcurrentLinkedQueue<>();
  private volatile boolean down = true;

  CircuitModesTest(KafkaCluster kafka, TestTopics topics) {
    broker = new BrokerFixture(kafka, topics);
  }

  @AfterEach
  void close() {
    broker.close();
  }

  /** It is open for longer than a lock lasts, and nothing is given back, or handed out again. */
  @Test
  void aQueueKeepsWhatItHasLocked() throws Exception {
    broker.create(1);
    List<String> sent = fill();
    setOfGroup("share.auto.offset.reset", "earliest");
    setOfGroup("share.record.lock.duration.ms", "2000");
    Queue<Integer> deliveries = new ConcurrentLinkedQueue<>();
    MessageConsumer consumer =
        prepared("queue", "3s")
            .subscribe(
                (value, context) -> {
                  deliveries.add(context.deliveryCount().orElseThrow());
                  handle(value, context);
                });

    await().atMost(SOON).until(() -> state(consumer.explain()) == CircuitState.OPEN);
    assertThat(consumer.isHealthy()).isTrue();
    await().during(A_WHILE).atMost(SOON).until(() -> !isClosed(consumer.explain()));
    assertFewFailures("queue");
    down = false;

    await().atMost(SOON).until(() -> handled.size() >= RECORDS);
    await().atMost(SOON).until(() -> consumer.explain().channel().records() == 0);
    assertThat(handled).containsExactlyInAnyOrderElementsOf(sent);
    assertThat(deliveries).containsOnly(1);
    assertThat(registry.get("millrace.consumer.locks.lost").counter().count()).isZero();
    assertThat(deadLetters()).isEmpty();
  }

  @Test
  void aReplayHasOneOfItsOwn() {
    broker.create(1);
    List<String> sent = fill();
    PreparedConsumer<String> prepared = prepared("replayed", "1s");
    Queue<String> ofGroup = new ConcurrentLinkedQueue<>();
    MessageConsumer consumer = prepared.subscribe((value, context) -> ofGroup.add(value));
    broker.awaitLagZero();

    Replay replay = prepared.replay(ReplayRange.everything(), this::handle);
    await().atMost(SOON).until(() -> state(replay.explain()) == CircuitState.OPEN);
    assertThat(state(consumer.explain())).isEqualTo(CircuitState.CLOSED);
    broker.send("later", "for the group");
    await().atMost(SOON).until(() -> ofGroup.contains("for the group"));
    await().during(A_WHILE).atMost(SOON).until(() -> !isClosed(replay.explain()));
    assertFewFailures("replayed-replay");
    down = false;

    ReplaySummary summary =
        replay.completion().orTimeout(SOON.toSeconds(), TimeUnit.SECONDS).join();
    assertThat(handled).containsExactlyInAnyOrderElementsOf(sent);
    assertThat(summary.isComplete()).isTrue();
    assertThat(summary.deadLettered()).isZero();
    assertThat(deadLetters()).isEmpty();
  }

  private void handle(String value, RecordContext context) {
    if (down) {
      failures.incrementAndGet();
      throw new IllegalStateException("the warehouse does not answer");
    }
    handled.add(value);
  }

  private List<ConsumerRecord<byte[], byte[]>> deadLetters() {
    return broker.read(broker.deadLetterTopic()).readAll();
  }

  /** Two by which it opened, one beside them; one probe for each time that it opens again. */
  private void assertFewFailures(String consumer) {
    int seen = failures.get(); // First: what comes later may have opened it again.
    double openings =
        registry
            .get("millrace.consumer.circuit.openings")
            .tag("consumer", consumer)
            .counter()
            .count();
    assertThat(seen).isLessThanOrEqualTo(3 + (int) openings);
  }

  private static boolean isClosed(ConsumerExplanation explained) {
    return state(explained) == CircuitState.CLOSED;
  }

  private static CircuitState state(ConsumerExplanation explained) {
    return explained.starts().orElseThrow().circuit().orElseThrow().state();
  }

  private List<String> fill() {
    List<String> values = IntStream.range(0, RECORDS).mapToObj(n -> "v" + n).toList();
    values.forEach(value -> broker.sendLater(value, value));
    broker.flush();
    return values;
  }

  private PreparedConsumer<String> prepared(String name, String openFor) {
    return broker.factory(CONFIG.formatted(openFor), registry).createConsumer(name, String.class);
  }

  private void setOfGroup(String name, String value) throws Exception {
    ConfigResource group = new ConfigResource(ConfigResource.Type.GROUP, broker.group());
    AlterConfigOp set = new AlterConfigOp(new ConfigEntry(name, value), AlterConfigOp.OpType.SET);
    broker.kafka().admin().incrementalAlterConfigs(Map.of(group, List.of(set))).all().get();
  }
}
