package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.MessageConsumer;
import dev.millrace.consumer.PreparedConsumer;
import dev.millrace.consumer.RecordHandler;
import dev.millrace.consumer.Replay;
import dev.millrace.consumer.ReplayRange;
import dev.millrace.consumer.ReplayRange.Offsets;
import dev.millrace.consumer.ReplaySummary;
import dev.millrace.consumer.ReplaySummary.Progress;
import dev.millrace.errors.ConsumerFailedException;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A range of the log, handled once more, while the group goes on. */
@KafkaTest
class ReplayTest {
  /** The first record's time; so late that no broker deletes it. */
  private final Instant begin = Instant.now().minusSeconds(10_000);

  private final BrokerFixture broker;
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final Queue<String> handled = new ConcurrentLinkedQueue<>();
  private final Queue<String> replayed = new ConcurrentLinkedQueue<>();
  private final RecordHandler<String> replay = (value, context) -> replayed.add(value);

  ReplayTest(KafkaCluster kafka, TestTopics topics) {
    broker = new BrokerFixture(kafka, topics);
  }

  @AfterEach
  void close() {
    broker.close();
  }

  /** What the group commits is what it has handled itself, and every commit is the consumer's. */
  @ParameterizedTest
  @ValueSource(strings = {"classic", "consumer"})
  void replaysEverythingWhileTheGroupGoesOn(String protocol) {
    broker.create(3);
    IntStream.range(0, 60).forEach(n -> broker.send("key-" + n % 7, "value " + n));
    PreparedConsumer<String> prepared = prepared("group-protocol: " + protocol);
    MessageConsumer consumer = prepared.subscribe((value, context) -> handled.add(value));
    broker.awaitLagZero();
    int commits = broker.progress().commits().size();

    ReplaySummary summary = ended(prepared.replay(ReplayRange.everything(), replay));

    assertThat(replayed).hasSize(60).containsExactlyInAnyOrderElementsOf(handled);
    assertThat(summary.isComplete()).isTrue();
    assertThat(summary.handled()).isEqualTo(60);
    assertThat(summary.deadLettered()).isZero();
    assertThat(summary.partitions().values().stream().mapToLong(Progress::position).sum())
        .isEqualTo(60);
    assertThat(broker.progress().commits()).as("a replay never commits").hasSize(commits);
    assertThat(consumer.assignment()).as("no rebalance").hasSize(3);
    broker.send("key-1", "after");
    await().atMost(SOON).until(() -> handled.contains("after"));
    assertThat(replayed).doesNotContain("after");
    BrokerFixture.awaitNoThread("millrace-replayed-replay-");
    assertThat(
            registry.find("millrace.consumer.records").tag("consumer", "replayed-replay").meters())
        .isEmpty();
  }

  @Test
  void keepsTheOrderOfEachKeyAndLeavesNoOffset() {
    broker.create(2);
    IntStream.range(0, 200).forEach(n -> broker.sendLater("key-" + n % 5, Integer.toString(n)));
    broker.flush();
    Map<Integer, Queue<Integer>> perKey =
        Map.of(
            0, new ConcurrentLinkedQueue<>(),
            1, new ConcurrentLinkedQueue<>(),
            2, new ConcurrentLinkedQueue<>(),
            3, new ConcurrentLinkedQueue<>(),
            4, new ConcurrentLinkedQueue<>());

    ended(
        prepared("")
            .replay(
                ReplayRange.everything(),
                (value, context) -> {
                  int number = Integer.parseInt(value);
                  perKey.get(number % 5).add(number);
                }));

    assertThat(broker.progress().commits())
        .as("a replay never commits, nor would an empty group refuse it")
        .isEmpty();
    perKey.values().forEach(numbers -> assertThat(List.copyOf(numbers)).hasSize(40).isSorted());
  }

  @Test
  void readsOffsetsFromHereToThere() {
    broker.create(2);
    IntStream.range(0, 10).forEach(n -> send(0, n, "0-" + n));
    IntStream.range(0, 10).forEach(n -> send(1, n, "1-" + n));

    ReplaySummary summary =
        ended(
            prepared("")
                .replay(
                    ReplayRange.of(
                        Map.of(
                            broker.partition(0), new Offsets(3, 5),
                            broker.partition(1), new Offsets(8, 1_000))),
                    replay));

    assertThat(replayed).containsExactlyInAnyOrder("0-3", "0-4", "1-8", "1-9");
    assertThat(summary.partitions())
        .containsOnly(
            Map.entry(broker.partition(0), new Progress(3, 5, 5)),
            Map.entry(broker.partition(1), new Progress(8, 10, 10)));
  }

  @Test
  void readsWhatIsBetweenTwoTimes() {
    broker.create(1);
    IntStream.range(0, 10).forEach(n -> send(0, n, "at " + n));

    ended(
        prepared("")
            .replay(ReplayRange.between(begin.plusSeconds(2), begin.plusSeconds(5)), replay));
    assertThat(replayed).containsExactlyInAnyOrder("at 2", "at 3", "at 4");

    replayed.clear();
    ended(prepared("").replay(ReplayRange.since(begin.plusSeconds(8)), replay));
    assertThat(replayed).containsExactlyInAnyOrder("at 8", "at 9");
  }

  @Test
  void readsWhatAQueueReads() {
    broker.create(1);
    IntStream.range(0, 10).forEach(n -> broker.send("key", "queued " + n));

    ended(prepared("mode: queue").replay(ReplayRange.everything(), replay));

    assertThat(replayed).hasSize(10).doesNotHaveDuplicates();
  }

  /** The last offsets are markers, so no record is ever seen at the range's end. */
  @ParameterizedTest
  @ValueSource(strings = {"classic", "consumer"})
  void endsBehindTransactionMarkers(String protocol) {
    broker.create(1);
    transaction("committed", true);
    transaction("aborted", false);

    ReplaySummary summary =
        ended(
            prepared(
                    "group-protocol: "
                        + protocol
                        + "\nproperties: { isolation.level: read_committed }")
                .replay(ReplayRange.everything(), replay));

    assertThat(replayed).containsExactly("committed");
    assertThat(summary.partitions())
        .containsOnly(Map.entry(broker.partition(0), new Progress(0, 4, 4)));
  }

  @Test
  void whatTheLogNoLongerHasIsLeftOut() throws Exception {
    broker.create(1);
    IntStream.range(0, 5).forEach(n -> send(0, n, "value " + n));
    broker
        .kafka()
        .admin()
        .deleteRecords(Map.of(broker.partition(0), RecordsToDelete.beforeOffset(3)))
        .all()
        .get(30, TimeUnit.SECONDS);

    ReplaySummary summary =
        ended(
            prepared("")
                .replay(ReplayRange.of(Map.of(broker.partition(0), new Offsets(0, 5))), replay));

    assertThat(replayed).containsExactlyInAnyOrder("value 3", "value 4");
    assertThat(summary.partitions())
        .containsOnly(Map.entry(broker.partition(0), new Progress(3, 5, 5)));
  }

  @Test
  void nothingToReadIsAnEndAtOnce() {
    broker.create(2);

    ReplaySummary summary = ended(prepared("").replay(ReplayRange.everything(), replay));

    assertThat(summary).isEqualTo(new ReplaySummary(Map.of(), 0, 0));
    assertThat(summary.isComplete()).isTrue();
  }

  @Test
  void aRecordThatCanNotBeHandledGoesToTheDeadLetterTopicOfTheGroup() {
    broker.create(1);
    broker.send("a", "bad");
    broker.send("a", "good");

    ReplaySummary summary =
        ended(
            prepared("dead-letter: {}\nretry: { max-attempts: 2, backoff: { initial: 1ms } }")
                .replay(
                    ReplayRange.everything(),
                    (value, context) -> {
                      replayed.add(value);
                      if (value.equals("bad")) {
                        throw new IllegalStateException("out of stock");
                      }
                    }));

    assertThat(replayed).containsExactly("bad", "bad", "good");
    assertThat(summary.handled()).isEqualTo(1);
    assertThat(summary.deadLettered()).isEqualTo(1);
    assertThat(broker.read(broker.deadLetterTopic()).readAll()).hasSize(1);
  }

  @Test
  void withoutADeadLetterTopicItFailsAtSuchARecord() {
    broker.create(1);
    broker.send("a", "bad");

    Replay running =
        prepared("retry: { max-attempts: 1 }")
            .replay(
                ReplayRange.everything(),
                (value, context) -> {
                  throw new IllegalStateException("out of stock");
                });

    assertThatThrownBy(() -> running.completion().get(SOON.toSeconds(), TimeUnit.SECONDS))
        .hasCauseInstanceOf(ConsumerFailedException.class)
        .hasMessageContaining(
            "Consumer 'replayed-replay' stopped at " + broker.partition(0) + "@0");
    assertThat(running.progress().isComplete()).isFalse();
  }

  @Test
  void aCloseEndsItWithWhatItHasReached() throws InterruptedException {
    broker.create(1);
    broker.send("a", "first");
    broker.send("a", "second");
    CountDownLatch atSecond = new CountDownLatch(1);
    PreparedConsumer<String> prepared = prepared("close-timeout: 1s");
    Replay running =
        prepared.replay(
            ReplayRange.everything(),
            (value, context) -> {
              if (value.equals("second")) {
                atSecond.countDown();
                BrokerFixture.hold(new CountDownLatch(1)); // Until the close interrupts it.
              }
            });
    BrokerFixture.hold(atSecond);
    await()
        .atMost(SOON)
        .untilAsserted(
            () ->
                assertThat(running.progress().partitions())
                    .containsOnly(Map.entry(broker.partition(0), new Progress(0, 2, 1))));
    assertThatThrownBy(() -> prepared.replay(ReplayRange.everything(), replay))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageStartingWith("Consumer 'replayed-replay' is already running in this factory");

    await()
        .atMost(SOON)
        .untilAsserted(
            () ->
                assertThat(running.explain().toString())
                    .contains("Consumer 'replayed-replay' is RUNNING")
                    .contains(broker.partition(0) + "@1, running for"));

    running.close();

    ReplaySummary summary = ended(running);
    assertThat(running.explain().partitions()).isEmpty();
    assertThat(summary.isComplete()).isFalse();
    assertThat(summary.handled()).isEqualTo(1);
    ended(prepared.replay(ReplayRange.everything(), replay));
    assertThat(replayed).containsExactly("first", "second");
  }

  @Test
  void aPartitionOfAnotherTopicIsRefused() {
    broker.create(1);
    TopicPartition strange = new TopicPartition("strange", 0);
    ReplayRange range = ReplayRange.of(Map.of(strange, new Offsets(0, 1)));

    assertThatThrownBy(() -> prepared("").replay(range, replay))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Consumer 'replayed-replay' does not read [strange-0]; its topics are [%s]."
                .formatted(broker.topic()));
    assertThat(BrokerFixture.threads("millrace-replayed-replay-")).isEmpty();
  }

  private static ReplaySummary ended(Replay replay) {
    return replay.completion().orTimeout(SOON.toSeconds(), TimeUnit.SECONDS).join();
  }

  private PreparedConsumer<String> prepared(String more) {
    return broker
        .factory(
            """
            kafka:
              common: { bootstrap-servers: "${BROKERS}" }
              consumers:
                replayed:
                  topics: ["${TOPIC}"]
                  group-id: ${GROUP}
            """
                + more.indent(6),
            registry)
        .createConsumer("replayed", String.class);
  }

  private void send(int partition, long second, String value) {
    long timestamp = begin.plusSeconds(second).toEpochMilli();
    broker.send(
        new ProducerRecord<>(broker.topic(), partition, timestamp, null, value.getBytes(UTF_8)));
  }

  private void transaction(String value, boolean commit) {
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(
            Map.of(
                ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, broker.kafka().bootstrapServers(),
                ProducerConfig.TRANSACTIONAL_ID_CONFIG, broker.group()),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      producer.initTransactions();
      producer.beginTransaction();
      var unused =
          producer.send(new ProducerRecord<>(broker.topic(), 0, null, value.getBytes(UTF_8)));
      if (commit) {
        producer.commitTransaction();
      } else {
        producer.flush();
        producer.abortTransaction();
      }
    }
  }
}
