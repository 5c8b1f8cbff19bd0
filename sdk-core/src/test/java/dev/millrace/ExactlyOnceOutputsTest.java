package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.BatchRecord;
import dev.millrace.consumer.ConsumerListener;
import dev.millrace.consumer.MessageConsumer;
import dev.millrace.consumer.PreparedConsumer;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import dev.millrace.testkit.probe.TopicProbe;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What handlers of an exactly-once consumer send, whichever way they run and end. */
@KafkaTest
class ExactlyOnceOutputsTest {
  private static final String CONFIG =
      """
      kafka:
        common: { bootstrap-servers: "${BROKERS}" }
        consumers:
          copy:
            topics: ["${TOPIC}"]
            group-id: ${GROUP}
            delivery-semantics: exactly-once
            retry: { max-attempts: 3, backoff: { initial: 1ms } }
            dead-letter: {}
            batch: { max-records: 10, max-wait: 20ms }
      """;

  /** So long that nothing is committed but by a close. */
  private static final String COMMITS_AT_THE_END =
      CONFIG + "      commit-interval: 7m\n      transaction: { timeout: 15m }\n";

  private final BrokerFixture broker;
  private final KafkaCluster kafka;
  private final TestTopics topics;
  private final ExecutorService executor = Executors.newFixedThreadPool(4);
  private String out;

  ExactlyOnceOutputsTest(KafkaCluster kafka, TestTopics topics) {
    broker = new BrokerFixture(kafka, topics);
    this.kafka = kafka;
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
    executor.shutdownNow();
  }

  @Test
  void anAttemptThatFailsLeavesNothing() {
    broker.send("k", "a");
    broker.send("k", "b");

    prepare(CONFIG)
        .subscribe(
            (value, context) -> {
              context.send(out, context.key(), value + context.attempt());
              if (context.attempt() < 3 && value.equals("a")) {
                throw new IllegalStateException("not yet");
              }
            });

    broker.awaitLagZero();
    assertThat(texts(read(out))).containsExactly("a3", "b1");
    assertThat(texts(everything(out))).as("aborted ones, too").containsExactly("a3", "b1");
  }

  /** Both are there, or neither is; its outputs never are. */
  @Test
  void aDeadLetterIsInTheTransactionOfItsOffset() {
    broker.send("k", "poison");
    MessageConsumer consumer =
        prepare(COMMITS_AT_THE_END)
            .subscribe(
                (value, context) -> {
                  context.send(out, context.key(), value);
                  throw new IllegalArgumentException("no attempt can help");
                });

    await().atMost(SOON).until(() -> !everything(broker.deadLetterTopic()).isEmpty());
    assertThat(read(broker.deadLetterTopic())).as("committed dead letters").isEmpty();
    assertThat(broker.progress().committed()).isEmpty();
    consumer.close();

    assertThat(texts(read(broker.deadLetterTopic()))).containsExactly("poison");
    broker.awaitLagZero();
    assertThat(everything(out)).isEmpty();
  }

  @SuppressWarnings("ImmutableEnumChecker") // what they hold is a lambda
  enum Way {
    WORKER(
        (test, prepared) ->
            prepared.subscribe((value, context) -> context.send(test.out, context.key(), value))),
    EXECUTOR(
        (test, prepared) ->
            prepared.subscribe(
                (value, context) -> context.send(test.out, context.key(), value), test.executor)),
    ASYNC(
        (test, prepared) ->
            prepared.subscribeAsync(
                (value, context) ->
                    CompletableFuture.runAsync(
                        () -> context.send(test.out, context.key(), value), test.executor))),
    BATCH(
        (test, prepared) ->
            prepared.subscribeBatch(
                batch -> {
                  for (BatchRecord<String> record : batch) {
                    record.context().send(test.out, record.context().key(), record.value());
                  }
                }));

    private final Subscribing subscribing;

    Way(Subscribing subscribing) {
      this.subscribing = subscribing;
    }
  }

  private interface Subscribing {
    MessageConsumer with(ExactlyOnceOutputsTest test, PreparedConsumer<String> prepared);
  }

  @ParameterizedTest
  @EnumSource
  void eachInputHasItsOutputOnceAndInOrderWhicheverWayItIsHandled(Way way) {
    fill(1_000);

    way.subscribing.with(this, prepare(CONFIG));

    broker.awaitLagZero();
    assertCopied(1_000);
  }

  /** Of a batch, what has an outcome of its own counts by itself. */
  @Test
  void aBatchSendsForThoseOfItsRecordsThatAreDone() {
    fill(100);

    prepare(CONFIG)
        .subscribeBatch(
            batch -> {
              for (BatchRecord<String> record : batch) {
                record.context().send(out, record.context().key(), record.value());
                if (number(record.value()) % 10 == 7 && record.context().attempt() == 1) {
                  record.retry(new IllegalStateException("not yet"));
                } else if (number(record.value()) % 10 == 3) {
                  record.deadLetter(new IllegalStateException("never"));
                }
              }
            });

    broker.awaitLagZero();
    List<String> expected =
        IntStream.range(0, 100).filter(n -> n % 10 != 3).mapToObj(n -> "v" + n).toList();
    assertThat(texts(read(out))).containsExactlyInAnyOrderElementsOf(expected);
    assertThat(texts(read(broker.deadLetterTopic()))).hasSize(10);
  }

  @Test
  void anOutputThatIsTooLargeCostsItsOwnRecordOnly() {
    String small = topics.name("small");
    kafka.createTopic(small, 2, Map.of("max.message.bytes", "2000"));
    fill(500);
    AtomicInteger attempts = new AtomicInteger();

    MessageConsumer consumer =
        prepare(CONFIG)
            .subscribe(
                (value, context) -> {
                  if (number(value) == 250) {
                    attempts.incrementAndGet();
                    context.send(small, context.key(), "x".repeat(100_000));
                  } else {
                    context.send(small, context.key(), value);
                  }
                });

    broker.awaitLagZero();
    assertThat(texts(read(small)))
        .containsExactlyInAnyOrderElementsOf(
            IntStream.range(0, 500).filter(n -> n != 250).mapToObj(n -> "v" + n).toList());
    assertThat(texts(read(broker.deadLetterTopic()))).containsExactly("v250");
    assertThat(consumer.isHealthy()).isTrue();
    broker.send("later", "v500");
    broker.awaitLagZero();
    assertThat(texts(read(small))).hasSize(500).contains("v500");
  }

  /** It is the handler that fails, not the transaction. */
  @Test
  void anOutputToATopicThatIsNotThereFailsItsRecordOnly() {
    fill(20);

    prepare(CONFIG.replace("max-attempts: 3", "max-attempts: 1"))
        .subscribe(
            (value, context) ->
                context.send(number(value) == 5 ? "no-" + out : out, context.key(), value));

    broker.awaitLagZero();
    assertThat(texts(read(out))).hasSize(19).doesNotContain("v5");
    assertThat(texts(read(broker.deadLetterTopic()))).containsExactly("v5");
  }

  @Test
  void aTombstoneComesAndGoesAsOne() {
    broker.send("k", "v");
    broker.send("k", null);
    broker.send(null, "keyless");

    prepare(CONFIG)
        .subscribe(
            (value, context) -> {
              context.send(out, context.key(), value);
            });

    broker.awaitLagZero();
    List<ConsumerRecord<byte[], byte[]>> copies = read(out);
    assertThat(copies.stream().filter(copy -> copy.key() != null).map(ConsumerRecord::value))
        .containsExactly("v".getBytes(UTF_8), null);
    assertThat(texts(copies)).contains("keyless");
  }

  @Test
  void oneInputMayHaveManyOutputsInManyTopicsWithAllThatARecordHas() {
    String other = topics.create("other", 3);
    broker.send("k", "v");

    prepare(CONFIG)
        .subscribe(
            (value, context) -> {
              context.send(out, "a", value);
              ProducerRecord<String, String> whole =
                  new ProducerRecord<>(other, 2, 1_700_000_000_000L, "b", value);
              whole.headers().add("h", new byte[] {1});
              context.send(whole);
              context.sendBytes(new ProducerRecord<>(other, 0, new byte[] {0}, new byte[] {-1}));
            });

    broker.awaitLagZero();
    assertThat(texts(read(out))).containsExactly("v");
    List<ConsumerRecord<byte[], byte[]>> others = read(other);
    assertThat(others).hasSize(2);
    assertThat(others.get(0).value()).containsExactly(-1);
    ConsumerRecord<byte[], byte[]> whole = others.get(1);
    assertThat(whole.partition()).isEqualTo(2);
    assertThat(whole.timestamp()).isEqualTo(1_700_000_000_000L);
    assertThat(whole.headers().lastHeader("h").value()).containsExactly(1);
  }

  @Test
  void whatAnotherTransactionHasAbortedIsNotCopied() {
    try (KafkaProducer<String, String> producer =
        new KafkaProducer<>(
            Map.of(
                "bootstrap.servers",
                kafka.bootstrapServers(),
                "transactional.id",
                broker.group() + "-source"),
            new StringSerializer(),
            new StringSerializer())) {
      producer.initTransactions();
      for (int i = 0; i < 40; i++) {
        producer.beginTransaction();
        for (int j = 0; j < 5; j++) {
          var unused =
              producer.send(
                  new ProducerRecord<>(
                      broker.topic(), "k" + j, (i % 2 == 0 ? "v" : "aborted") + (i * 5 + j)));
        }
        producer.flush();
        if (i % 2 == 0) {
          producer.commitTransaction();
        } else {
          producer.abortTransaction();
        }
      }
    }

    copy(CONFIG);

    broker.awaitLagZero();
    assertThat(texts(read(out))).hasSize(100).allMatch(value -> value.startsWith("v"));
    assertThat(texts(read(out))).doesNotHaveDuplicates();
    // Also past the markers at the end.
    Map<TopicPartition, Long> ends = new HashMap<>();
    broker
        .read(broker.topic())
        .offsets()
        .forEach((partition, offsets) -> ends.put(partition, offsets.end()));
    await()
        .atMost(SOON)
        .untilAsserted(
            () ->
                assertThat(ends)
                    .allSatisfy(
                        (partition, end) ->
                            assertThat(broker.committed(partition.partition())).isEqualTo(end)));
  }

  @Test
  void aSecondConsumerTakesPartitionsOverAndGivesThemBack() {
    fill(200);
    AtomicInteger copied = new AtomicInteger();
    CountDownLatch assigned = new CountDownLatch(1);
    copy(CONFIG, copied);
    await().atMost(SOON).until(() -> copied.get() >= 50);
    KafkaFactory second = broker.factory(CONFIG);
    var unused =
        second
            .createConsumer("copy", String.class)
            .listener(
                new ConsumerListener() {
                  @Override
                  public void assigned(Set<TopicPartition> partitions) {
                    assigned.countDown();
                  }
                })
            .subscribe(
                (value, context) -> {
                  context.send(out, context.key(), value);
                  copied.incrementAndGet();
                });
    await().atMost(SOON).until(() -> assigned.getCount() == 0);
    fill(200, 400);
    await().atMost(SOON).until(() -> copied.get() >= 300);

    second.close();

    fill(400, 600);
    broker.awaitLagZero();
    assertCopied(600);
  }

  @Test
  void aCloseCommitsWhatHasEnded() {
    fill(100);
    AtomicInteger copied = new AtomicInteger();
    MessageConsumer consumer = copy(COMMITS_AT_THE_END, copied);
    await().atMost(SOON).until(() -> copied.get() == 100);
    assertThat(read(out)).isEmpty();

    consumer.close();

    assertCopied(100);
    broker.awaitLagZero();
    assertThat(broker.read(out).openTransactions()).isEmpty();
  }

  /** What had not ended is read again by the next one, and nothing else is. */
  @Test
  void aCloseLeavesOutWhatDoesNotEnd() {
    fill(50);
    Set<String> seen = ConcurrentHashMap.newKeySet();
    KafkaFactory first = broker.factory(CONFIG + "      close-timeout: 2s\n");
    MessageConsumer consumer =
        first
            .createConsumer("copy", String.class)
            .subscribe(
                (value, context) -> {
                  context.send(out, context.key(), value);
                  seen.add(value);
                  if (number(value) % 25 == 0) {
                    new CountDownLatch(1).await();
                  }
                });
    await().atMost(SOON).until(() -> seen.containsAll(Set.of("v0", "v25")));
    consumer.close();
    assertThat(texts(read(out))).doesNotContain("v0", "v25");

    copy(CONFIG);

    broker.awaitLagZero();
    assertCopied(50);
  }

  private PreparedConsumer<String> prepare(String config) {
    return broker.factory(config).createConsumer("copy", String.class);
  }

  private MessageConsumer copy(String config) {
    return copy(config, new AtomicInteger());
  }

  private MessageConsumer copy(String config, AtomicInteger copied) {
    return prepare(config)
        .subscribe(
            (value, context) -> {
              context.send(out, context.key(), value);
              copied.incrementAndGet();
            });
  }

  private void fill(int records) {
    fill(0, records);
  }

  private void fill(int from, int to) {
    for (int i = from; i < to; i++) {
      broker.sendLater("key-" + i % 10, "v" + i);
    }
    broker.flush();
  }

  private static int number(String value) {
    return Integer.parseInt(value.substring(1));
  }

  private void assertCopied(int records) {
    List<ConsumerRecord<byte[], byte[]>> copies = read(out);
    assertThat(texts(copies))
        .containsExactlyInAnyOrderElementsOf(
            IntStream.range(0, records).mapToObj(i -> "v" + i).toList());
    Map<String, List<Integer>> perKey = new HashMap<>();
    copies.forEach(
        copy ->
            perKey
                .computeIfAbsent(new String(copy.key(), UTF_8), key -> new ArrayList<>())
                .add(number(new String(copy.value(), UTF_8))));
    assertThat(perKey.values()).allSatisfy(numbers -> assertThat(numbers).isSorted());
  }

  private List<ConsumerRecord<byte[], byte[]>> read(String topic) {
    return broker.read(topic).readAll();
  }

  /** Also what is not, or will never be, committed. */
  private List<ConsumerRecord<byte[], byte[]>> everything(String topic) {
    return TopicProbe.of(kafka.bootstrapServers(), topic, IsolationLevel.READ_UNCOMMITTED)
        .readAll();
  }

  private static List<String> texts(List<ConsumerRecord<byte[], byte[]>> records) {
    return records.stream()
        .map(record -> record.value() == null ? "null" : new String(record.value(), UTF_8))
        .toList();
  }
}
