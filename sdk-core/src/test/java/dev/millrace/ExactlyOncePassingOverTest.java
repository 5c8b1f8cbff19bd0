package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static dev.millrace.BrokerFixture.hold;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.MessageConsumer;
import dev.millrace.consumer.SkipResult;
import dev.millrace.deadletter.DeadLetterFilter;
import dev.millrace.deadletter.DeadLetters;
import dev.millrace.deadletter.Redrive;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import dev.millrace.testkit.probe.GroupProbe;
import dev.millrace.testkit.probe.TopicProbe;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.common.IsolationLevel;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What ends in exactly-once consumers as skipped, and what comes back to them. */
@KafkaTest
class ExactlyOncePassingOverTest {
  private static final String CONFIG =
      """
      kafka:
        common: { bootstrap-servers: "${BROKERS}" }
        defaults:
          consumers: { delivery-semantics: exactly-once, retry: { max-attempts: 2, backoff: { initial: 1h, max: 1h } } }
        consumers:
          copy: { topics: ["${TOPIC}"], group-id: "${GROUP}" }
          failing: { topics: ["${TOPIC}"], group-id: "${GROUP}", retry: { max-attempts: 1 }, dead-letter: {} }
          other: { topics: ["${TOPIC}"], group-id: "${GROUP}-other" }
      """;

  /** So long that nothing is committed but by a close. */
  private static final String COMMITS_AT_THE_END =
      CONFIG.replace(
          "exactly-once,", "exactly-once, commit-interval: 7m, transaction: { timeout: 15m },");

  private final BrokerFixture broker;
  private final TestTopics topics;
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private String out;

  ExactlyOncePassingOverTest(KafkaCluster kafka, TestTopics topics) {
    this.broker = new BrokerFixture(kafka, topics);
    this.topics = topics;
  }

  @BeforeEach
  void create() {
    broker.create(2);
    out = topics.create("out", 2);
  }

  @AfterEach
  void close() {
    broker.close();
  }

  /** Its offset is committed with the outputs of its neighbours, and it leaves none. */
  @Test
  void aRecordThatIsSkippedWhileItWaitsPassesWithItsPartition() {
    long broken = broker.send("k", "broken").offset();
    broker.send("k", "behind");
    broker.send("other", "beside");
    MessageConsumer consumer =
        broker
            .factory(CONFIG, registry)
            .createConsumer("copy", String.class)
            .subscribe(
                (value, context) -> {
                  context.send(out, context.key(), value);
                  if (value.equals("broken")) {
                    throw new IllegalStateException("out of stock");
                  }
                });
    await().atMost(SOON).until(() -> ended("copy", "retried") == 1);

    assertThat(consumer.skip(broker.partition(partitionOf("k")), broken).join())
        .isEqualTo(SkipResult.SKIPPED);

    broker.awaitLagZero();
    assertThat(texts(out)).containsExactlyInAnyOrder("behind", "beside");
    assertThat(ended("copy", "skipped")).isEqualTo(1);
    assertThat(ended("copy", "handled")).isEqualTo(2);
  }

  /** It ends as any other does: with its transaction, but without what its handler has sent. */
  @Test
  void aRecordThatIsSkippedWhileItRunsEndsInItsTransaction() {
    long broken = broker.send("k", "broken").offset();
    broker.send("k", "behind");
    CountDownLatch running = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    MessageConsumer consumer =
        broker
            .factory(COMMITS_AT_THE_END, registry)
            .createConsumer("copy", String.class)
            .subscribe(
                (value, context) -> {
                  context.send(out, context.key(), value);
                  if (value.equals("broken")) {
                    running.countDown();
                    hold(goOn);
                    throw new IllegalStateException("out of stock");
                  }
                });
    await().atMost(SOON).until(() -> running.getCount() == 0);

    assertThat(consumer.skip(broker.partition(partitionOf("k")), broken).join())
        .isEqualTo(SkipResult.WHEN_IT_FAILS);
    goOn.countDown();

    await().atMost(SOON).until(() -> ended("copy", "handled") == 1);
    assertThat(ended("copy", "skipped")).isEqualTo(1);
    assertThat(broker.progress().committed()).isEmpty();
    consumer.close();
    broker.awaitLagZero();
    assertThat(texts(out)).containsExactly("behind");
  }

  /** Once for the group that gave it up; the other one's offset passes it without an output. */
  @Test
  void aRedrivenRecordComesBackForItsGroupAlone() throws Exception {
    AtomicBoolean fails = new AtomicBoolean(true);
    KafkaFactory kafka = broker.factory(CONFIG, registry);
    String others = topics.create("others", 2);
    kafka
        .createConsumer("failing", String.class)
        .subscribe(
            (value, context) -> {
              context.send(out, context.key(), value);
              if (fails.get()) {
                throw new IllegalStateException("out of stock");
              }
            });
    kafka
        .createConsumer("other", String.class)
        .subscribe((value, context) -> context.send(others, context.key(), value));
    for (int i = 0; i < 20; i++) {
      broker.send("key-" + i % 3, "v" + i);
    }
    broker.awaitLagZero();
    DeadLetters dead = kafka.deadLetters("failing");
    assertThat(dead.list(DeadLetterFilter.all(), 100)).hasSize(20);
    fails.set(false);

    assertThat(dead.redrive(Redrive.of(DeadLetterFilter.all()).perSecond(100)).redriven())
        .isEqualTo(20);

    broker.awaitLagZero();
    GroupProbe.of(broker.kafka().bootstrapServers(), broker.group() + "-other", broker.topic())
        .awaitLagZero(SOON);
    assertThat(texts(out)).hasSize(20).doesNotHaveDuplicates();
    assertThat(texts(others)).hasSize(20).doesNotHaveDuplicates();
    assertThat(ended("other", "skipped")).isEqualTo(20);
    assertThat(ended("failing", "skipped")).isZero();
    assertThat(dead.list(DeadLetterFilter.all(), 100)).isEmpty();
  }

  /** Its transaction may be aborted, and then it never was one. */
  @Test
  void aDeadLetterThatIsNotCommittedIsNoneYet() {
    broker.send("k", "broken");
    KafkaFactory kafka = broker.factory(COMMITS_AT_THE_END);
    DeadLetters dead = kafka.deadLetters("failing");
    MessageConsumer consumer =
        kafka
            .createConsumer("failing", String.class)
            .subscribe(
                (value, context) -> {
                  throw new IllegalStateException("out of stock");
                });
    TopicProbe everything =
        TopicProbe.of(
            broker.kafka().bootstrapServers(),
            broker.deadLetterTopic(),
            IsolationLevel.READ_UNCOMMITTED);
    await().atMost(SOON).until(() -> !everything.readAll().isEmpty());

    assertThat(dead.list(DeadLetterFilter.all(), 100)).isEmpty();
    consumer.close();
    assertThat(dead.list(DeadLetterFilter.all(), 100)).hasSize(1);
  }

  private int partitionOf(String key) {
    return broker.read(broker.topic()).readAll().stream()
        .filter(record -> key.equals(new String(record.key(), UTF_8)))
        .findFirst()
        .orElseThrow()
        .partition();
  }

  private List<String> texts(String topic) {
    return broker.read(topic).readAll().stream()
        .map(record -> new String(record.value(), UTF_8))
        .toList();
  }

  private double ended(String consumer, String outcome) {
    return registry
        .get("millrace.consumer.records")
        .tag("consumer", consumer)
        .tag("outcome", outcome)
        .counter()
        .count();
  }
}
