package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static dev.millrace.BrokerFixture.hold;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.ConsumerExplanation;
import dev.millrace.consumer.ConsumerExplanation.Partition;
import dev.millrace.consumer.ConsumerExplanation.Running;
import dev.millrace.consumer.MessageConsumer;
import dev.millrace.consumer.RecordHandler;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Pauses, seeks and explanations of a consumer on a real broker, under both group protocols. */
@KafkaTest
class ControlTest {
  private static final String CLASSIC = "{ heartbeat.interval.ms: 200 }";
  private static final String CONSUMER = "{ group.protocol: consumer }";

  private final BrokerFixture broker;
  private final CountDownLatch release = new CountDownLatch(1);

  /** How many records may be handled, where a test counts them out. */
  private final Semaphore allowed = new Semaphore(0);

  ControlTest(KafkaCluster kafka, TestTopics topics) {
    broker = new BrokerFixture(kafka, topics);
  }

  @AfterEach
  void close() {
    release.countDown();
    broker.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {CLASSIC, CONSUMER})
  void aPauseSurvivesRebalances(String properties) throws Exception {
    broker.create(4);
    Set<TopicPartition> wanted =
        Set.of(broker.partition(0), broker.partition(1), broker.partition(2));
    Queue<Integer> handled = new ConcurrentLinkedQueue<>();
    MessageConsumer first =
        subscribe(properties, (value, context) -> handled.add(context.partition()));
    await().atMost(SOON).until(() -> first.assignment().size() == 4);
    done(first.pause(wanted));

    // Two leave and come back, and two stay: some that are paused on either side.
    MessageConsumer second = subscribe(properties, (value, context) -> {});
    await().atMost(SOON).until(() -> second.assignment().size() == 2);
    assertThat(first.paused()).hasSizeBetween(1, 2).isSubsetOf(wanted);
    second.close(Duration.ofSeconds(10));
    await().atMost(SOON).until(() -> first.assignment().size() == 4);
    assertThat(first.paused()).isEqualTo(wanted);

    for (int partition = 0; partition < 4; partition++) {
      send(partition, "key", "value");
    }
    await().atMost(SOON).until(() -> handled.contains(3));
    assertThat(handled).containsExactly(3);
    assertThat(explained(first).partitions().subList(0, 3))
        .allSatisfy(
            partition -> {
              assertThat(partition.verdict()).startsWith("paused by the user since ");
              assertThat(partition.lag()).as("nothing is fetched").isEmpty();
            });

    done(first.resume(List.of(broker.partition(1))));
    await().atMost(SOON).untilAsserted(() -> assertThat(handled).containsExactly(3, 1));
    done(first.resume());
    await()
        .atMost(SOON)
        .untilAsserted(() -> assertThat(handled).containsExactlyInAnyOrder(3, 1, 0, 2));
  }

  /** Each seek meets records that are queued, that run, and a commit that may be on its way. */
  @ParameterizedTest
  @ValueSource(strings = {CLASSIC, CONSUMER})
  void seeksWhileRecordsRunKeepEachKeyInOrder(String properties) throws Exception {
    int keys = 20;
    int perKey = 100;
    broker.create(1);
    TopicPartition partition = broker.partition(0);
    for (int i = 0; i < perKey; i++) {
      for (int key = 0; key < keys; key++) {
        broker.sendLater("key-" + key, Integer.toString(i));
      }
    }
    broker.flush();
    Map<String, AtomicInteger> inside = new ConcurrentHashMap<>();
    Queue<String> overlaps = new ConcurrentLinkedQueue<>();
    Queue<Long> started = new ConcurrentLinkedQueue<>();
    Map<String, Queue<Long>> byKey = new ConcurrentHashMap<>();
    MessageConsumer consumer =
        subscribe(
            properties,
            (value, context) -> {
              String key = String.valueOf(context.key());
              AtomicInteger count = inside.computeIfAbsent(key, absent -> new AtomicInteger());
              if (count.incrementAndGet() > 1) {
                overlaps.add(context.toString());
              }
              allowed.acquire();
              started.add(context.offset());
              byKey
                  .computeIfAbsent(key, absent -> new ConcurrentLinkedQueue<>())
                  .add(context.offset());
              LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(2));
              count.decrementAndGet();
            });

    handleMore(started, 300);
    done(consumer.seek(partition, 100));
    handleMore(started, 300);
    done(consumer.seek(partition, 1_500));
    handleMore(started, 100);
    done(consumer.seekToBeginning(Set.of(partition)));
    handleMore(started, 100);
    done(consumer.seek(partition, 1_000));

    allowed.release(2 * keys * perKey);
    broker.awaitLagZero();
    assertThat(overlaps).isEmpty();
    assertThat(started.stream().filter(offset -> offset >= 1_500)).hasSizeGreaterThanOrEqualTo(500);
    // A key goes back at most once for each seek, or an old record would have come between.
    assertThat(byKey)
        .hasSize(keys)
        .allSatisfy((key, offsets) -> assertThat(stepsBack(offsets)).isLessThanOrEqualTo(2));
    assertThat(started).contains(0L, 1_000L, 1_999L);
  }

  @ParameterizedTest
  @ValueSource(strings = {CLASSIC, CONSUMER})
  void aSeekBackIsCommittedAndATimestampIsFound(String properties) throws Exception {
    broker.create(1);
    TopicPartition partition = broker.partition(0);
    // Not now, but young enough for the broker's retention.
    long first = System.currentTimeMillis() - 60_000;
    for (int i = 0; i < 10; i++) {
      broker.send(
          new ProducerRecord<>(
              broker.topic(), 0, first + i, "key".getBytes(UTF_8), "v".getBytes(UTF_8)));
    }
    MessageConsumer consumer = subscribe(properties, (value, context) -> {});
    broker.awaitLagZero();
    done(consumer.pause());

    done(consumer.seekToTimestamp(Set.of(partition), Instant.ofEpochMilli(first + 4)));
    awaitCommitted(4);
    done(consumer.seekToBeginning(Set.of(partition)));
    awaitCommitted(0);
    done(consumer.seekToEnd(Set.of(partition)));
    awaitCommitted(10);
    done(consumer.seekToTimestamp(Set.of(partition), Instant.now()));
    awaitCommitted(10);
  }

  @ParameterizedTest
  @ValueSource(strings = {CLASSIC, CONSUMER})
  void aHungHandlerIsExplained(String properties) throws Exception {
    broker.create(1);
    send(0, "key-1", "first");
    send(0, "key-2", "hangs");
    send(0, "key-2", "behind it");
    send(0, "key-3", "secret value");
    CountDownLatch hangs = new CountDownLatch(1);
    MessageConsumer consumer =
        subscribe(
            properties,
            (value, context) -> {
              if (value.equals("hangs")) {
                hangs.countDown();
                hold(release);
              }
            });
    hold(hangs);
    await()
        .atMost(SOON)
        .untilAsserted(() -> assertThat(onlyPartition(consumer).commits().offset()).hasValue(1));
    await()
        .atMost(SOON)
        .untilAsserted(
            () -> assertThat(onlyPartition(consumer).counts().doneBeyond()).isEqualTo(1));
    await()
        .atMost(SOON)
        .untilAsserted(
            () ->
                assertThat(onlyPartition(consumer).verdict())
                    .matches("waits for .*-0@1, running for .* in BrokerFixture\\.hold\\(.*\\)"));

    ConsumerExplanation explanation = explained(consumer);
    Partition partition = explanation.partitions().get(0);

    assertThat(partition.counts()).isEqualTo(new ConsumerExplanation.Counts(1, 1, 0, 1, 0));
    assertThat(partition.lag()).hasValue(3);
    assertThat(partition.position()).hasValue(4);
    assertThat(partition.oldest().orElseThrow().key()).hasValue("\"key-2\"");
    assertThat(partition.oldest().orElseThrow().activity()).isInstanceOf(Running.class);
    assertThat(explanation.toString()).doesNotContain("secret value");
    release.countDown();
    await()
        .atMost(SOON)
        .untilAsserted(() -> assertThat(onlyPartition(consumer).verdict()).isEqualTo("up to date"));
  }

  private static Partition onlyPartition(MessageConsumer consumer) {
    return explained(consumer).partitions().get(0);
  }

  /** Asks again when the poll thread was too busy to answer. */
  private static ConsumerExplanation explained(MessageConsumer consumer) {
    return await().atMost(SOON).until(consumer::explain, answer -> answer.silence().isEmpty());
  }

  private void awaitCommitted(long offset) {
    await().atMost(SOON).until(() -> broker.committed(0) == offset);
  }

  /** Lets so many more be handled, and no other before the next call. */
  private void handleMore(Queue<Long> started, int records) {
    int before = started.size();
    allowed.release(records);
    await().atMost(SOON).until(() -> started.size() == before + records);
  }

  private static int stepsBack(Queue<Long> offsets) {
    int steps = 0;
    long last = -1;
    for (long offset : offsets) {
      steps += offset <= last ? 1 : 0;
      last = offset;
    }
    return steps;
  }

  private void send(int partition, String key, String value) {
    broker.send(
        new ProducerRecord<>(
            broker.topic(), partition, key.getBytes(UTF_8), value.getBytes(UTF_8)));
  }

  private static void done(CompletableFuture<Void> asked) throws Exception {
    asked.get(SOON.toSeconds(), TimeUnit.SECONDS);
  }

  private MessageConsumer subscribe(String properties, RecordHandler<String> handler) {
    return broker
        .factory(
            """
            kafka:
              common: { bootstrap-servers: "${BROKERS}" }
              consumers:
                control:
                  topics: ["${TOPIC}"]
                  group-id: ${GROUP}
                  concurrency: 8
                  channel-capacity: 200
                  properties: %s
            """
                .formatted(properties))
        .createConsumer("control", String.class)
        .subscribe(handler);
  }
}
