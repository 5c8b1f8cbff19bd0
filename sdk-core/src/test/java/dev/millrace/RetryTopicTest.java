package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.ConsumerExplanation.PauseCause;
import dev.millrace.consumer.ConsumerState;
import dev.millrace.consumer.MessageConsumer;
import dev.millrace.consumer.PreparedConsumer;
import dev.millrace.consumer.RecordContext;
import dev.millrace.consumer.RecordHandler;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import dev.millrace.testkit.probe.GroupProbe;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A record that fails waits in topics of its own, and holds nobody up. */
@KafkaTest
class RetryTopicTest {
  private static final String CONFIG =
      """
      kafka:
        common: { bootstrap-servers: "${BROKERS}" }
        consumers:
          retrying:
            topics: ["${TOPIC}"]
            group-id: ${GROUP}
            on-missing-offset: earliest
            retry: { max-attempts: 1, backoff: { initial: 1ms }, topics: [300ms, 700ms] }
            dead-letter: {}
      """;

  private final BrokerFixture broker;
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final Queue<SeenRecord> seen = new ConcurrentLinkedQueue<>();

  RetryTopicTest(KafkaCluster kafka, TestTopics topics) {
    broker = new BrokerFixture(kafka, topics);
  }

  @AfterEach
  void close() {
    broker.close();
  }

  @Test
  void itGoesFromLevelToLevelAsItCameAndThenToTheDeadLetters() {
    broker.create(3);
    byte[] key = {0, (byte) 0xC3, 0x28, (byte) 0xFF};
    // Not now, but young enough for the broker's retention.
    long timestamp = System.currentTimeMillis() - 60_000;
    List<Header> headers =
        List.of(
            new RecordHeader("traceparent", "00-4bf9-00f0-01".getBytes(UTF_8)),
            new RecordHeader("tag", new byte[] {0, (byte) 0xFF}),
            new RecordHeader("tag", null));
    RecordMetadata sent =
        broker.send(
            new ProducerRecord<>(
                broker.topic(), 2, timestamp, key, "hopeless".getBytes(UTF_8), headers));

    subscribe(CONFIG.replace("max-attempts: 1", "max-attempts: 2"), this::fail);

    ConsumerRecord<byte[], byte[]> dead = only(broker.deadLetterTopic());
    awaitAllDone();
    assertThat(seen)
        .extracting(
            SeenRecord::partition, SeenRecord::offset, SeenRecord::timestamp, SeenRecord::headers)
        .as("what the handler is told of the record, each time")
        .containsOnly(
            org.assertj.core.groups.Tuple.tuple(
                broker.partition(2), sent.offset(), timestamp, headers));
    assertThat(seen).extracting(SeenRecord::attempt).containsExactly(1, 2, 3, 4, 5, 6);

    assertThat(dead.key()).isEqualTo(key);
    assertThat(dead.value()).isEqualTo("hopeless".getBytes(UTF_8));
    assertThat(Arrays.copyOf(dead.headers().toArray(), 3)).containsExactlyElementsOf(headers);
    assertThat(added(dead, 3))
        .containsEntry("millrace-origin-topic", broker.topic())
        .containsEntry("millrace-origin-partition", "2")
        .containsEntry("millrace-origin-offset", Long.toString(sent.offset()))
        .containsEntry("millrace-origin-timestamp", Long.toString(timestamp))
        .containsEntry("millrace-attempts", "6")
        .containsEntry("millrace-gave-up", "attempts used up")
        .hasSize(9);

    ConsumerRecord<byte[], byte[]> first = only(retryTopic(1));
    ConsumerRecord<byte[], byte[]> second = only(retryTopic(2));
    long firstFailure = Long.parseLong(added(first, 3).get("millrace-retry-first-failure"));
    assertThat(firstFailure).isBetween(at(1), at(2));
    for (ConsumerRecord<byte[], byte[]> record : List.of(first, second)) {
      assertThat(record.key()).isEqualTo(key);
      assertThat(record.value()).isEqualTo("hopeless".getBytes(UTF_8));
      assertThat(Arrays.copyOf(record.headers().toArray(), 3)).containsExactlyElementsOf(headers);
      assertThat(added(record, 3))
          .isEqualTo(
              Map.of(
                  "millrace-retry-origin-topic",
                  broker.topic(),
                  "millrace-retry-origin-partition",
                  "2",
                  "millrace-retry-origin-offset",
                  Long.toString(sent.offset()),
                  "millrace-retry-origin-timestamp",
                  Long.toString(timestamp),
                  "millrace-retry-first-failure",
                  Long.toString(firstFailure),
                  "millrace-retry-attempts",
                  record == first ? "2" : "4",
                  "millrace-retry-exception-class",
                  "java.lang.IllegalStateException",
                  "millrace-retry-exception-message",
                  "out of stock"));
    }
    assertThat(at(3) - first.timestamp()).as("wait at level 1").isGreaterThanOrEqualTo(295);
    assertThat(at(5) - second.timestamp()).as("wait at level 2").isGreaterThanOrEqualTo(695);
    assertThat(outcome("retry-topic")).isEqualTo(2);
    assertThat(outcome("dead-lettered")).isEqualTo(1);
    assertThat(outcome("retried")).as("attempts in place that another followed").isEqualTo(3);
  }

  @ParameterizedTest
  @ValueSource(strings = {"worker", "executor", "stage", "batch"})
  void itIsTriedAgainInWhicheverWayRecordsAreHandled(String way) {
    broker.create(2);
    for (int i = 0; i < 20; i++) {
      broker.sendLater("key-" + i, i % 2 == 0 ? "flaky-" + i : "good-" + i);
    }
    broker.flush();
    ExecutorService executor = Executors.newFixedThreadPool(2);
    PreparedConsumer<String> prepared =
        broker.factory(CONFIG, registry).createConsumer("retrying", String.class);
    switch (way) {
      case "worker" -> prepared.subscribe(this::failTwice);
      case "executor" -> prepared.subscribe(this::failTwice, executor);
      case "stage" ->
          prepared.subscribeAsync(
              (value, context) ->
                  CompletableFuture.runAsync(() -> failTwice(value, context), executor));
      default ->
          prepared.subscribeBatch(
              records ->
                  records.forEach(
                      record -> {
                        try {
                          failTwice(record.value(), record.context());
                        } catch (IllegalStateException failure) {
                          record.retry(failure);
                        }
                      }));
    }

    await().atMost(SOON).until(() -> outcome("handled") == 20);
    awaitAllDone();
    assertThat(outcome("retry-topic")).isEqualTo(20);
    assertThat(seen).hasSize(40);
    assertThat(seen)
        .filteredOn(one -> one.value().startsWith("flaky"))
        .allMatch(one -> one.partition().topic().equals(broker.topic()))
        .extracting(SeenRecord::attempt)
        .containsOnly(1, 2, 3);
    assertThat(broker.read(broker.deadLetterTopic()).readAll()).isEmpty();
    executor.shutdown();
  }

  /** What goes to a retry topic is an output of the transaction that commits the offset. */
  @Test
  void exactlyOnceEachRecordHasItsEndOnce() {
    int records = 200;
    broker.create(4);
    String out = broker.topic() + "-out";
    broker.kafka().createTopic(out, 2);
    for (int i = 0; i < records; i++) {
      String kind = i % 50 == 0 ? "hopeless-" : i % 5 == 0 ? "flaky-" : "good-";
      broker.sendLater("key-" + i % 100, kind + i);
    }
    broker.flush();

    subscribe(
        CONFIG.replace("on-missing", "delivery-semantics: exactly-once\n      on-missing"),
        (value, context) -> {
          context.send(out, context.key(), value);
          if (value.startsWith("hopeless")) {
            fail(value, context);
          }
          failTwice(value, context);
        });

    await().atMost(SOON).until(() -> outcome("handled") + outcome("dead-lettered") == records);
    awaitAllDone();
    assertThat(values(out))
        .hasSize(196)
        .doesNotHaveDuplicates()
        .noneMatch(value -> value.startsWith("hopeless"));
    assertThat(values(broker.deadLetterTopic()))
        .hasSize(4)
        .doesNotHaveDuplicates()
        .allMatch(value -> value.startsWith("hopeless"));
    for (int level = 1; level <= 2; level++) {
      assertThat(values(retryTopic(level)))
          .hasSize(40)
          .doesNotHaveDuplicates()
          .noneMatch(value -> value.startsWith("good"));
    }
  }

  @Test
  void withoutDeadLettersTheConsumerStopsAfterTheLastLevel() {
    broker.create(1);
    broker.send("a", "hopeless");

    MessageConsumer consumer = subscribe(CONFIG.replace("dead-letter: {}", ""), this::fail);

    await().atMost(SOON).until(() -> consumer.state() == ConsumerState.FAILED);
    assertThat(consumer.failure().orElseThrow())
        .hasMessageContaining("stopped at " + broker.topic() + "-0@0, which has no attempt left");
    assertThat(seen).extracting(SeenRecord::attempt).containsExactly(1, 2, 3);
    assertThat(committed(broker.topic())).isEqualTo(1);
    assertThat(committed(retryTopic(1))).isEqualTo(1);
    assertThat(committed(retryTopic(2))).as("the record is still to be handled").isLessThan(1);
  }

  @Test
  void headersThatLookLikeThoseOfARetryTopicHaveNoEffectElsewhere() {
    broker.create(1);
    broker.send(
        new ProducerRecord<>(
            broker.topic(),
            0,
            "a".getBytes(UTF_8),
            "forged".getBytes(UTF_8),
            List.of(
                header("millrace-retry-origin-topic", broker.topic()),
                header("millrace-retry-origin-partition", "0"),
                header("millrace-retry-origin-offset", "77"),
                header("millrace-retry-origin-timestamp", "1"),
                header("millrace-retry-first-failure", "1"),
                header("millrace-retry-attempts", "1000"))));

    subscribe(CONFIG, this::fail);

    assertThat(added(only(broker.deadLetterTopic()), 0))
        .containsEntry("millrace-origin-offset", "0")
        .containsEntry("millrace-attempts", "3");
    assertThat(seen).extracting(SeenRecord::attempt).containsExactly(1, 2, 3);
    assertThat(seen).extracting(SeenRecord::offset).containsOnly(0L);
    assertThat(ignored()).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"none", "of another topic", "of no sense"})
  void whatStandsInARetryTopicWithoutSoundHeadersIsHandledAsItIs(String headers) {
    broker.create(1);
    broker.kafka().createTopic(retryTopic(1), 1);
    List<Header> forged =
        headers.equals("none")
            ? List.of()
            : List.of(
                header(
                    "millrace-retry-origin-topic",
                    headers.equals("of no sense") ? broker.topic() : "payments"),
                header("millrace-retry-origin-partition", "0"),
                header("millrace-retry-origin-offset", headers.equals("of no sense") ? "?" : "77"),
                header("millrace-retry-origin-timestamp", "1"),
                header("millrace-retry-first-failure", "1"),
                header("millrace-retry-attempts", "1000"));
    broker.send(
        new ProducerRecord<>(
            retryTopic(1), 0, "a".getBytes(UTF_8), "by hand".getBytes(UTF_8), forged));

    // And it is read from the beginning, whatever holds for other topics without an offset.
    subscribe(CONFIG.replace("missing-offset: earliest", "missing-offset: latest"), this::fail);

    assertThat(added(only(broker.deadLetterTopic()), 0))
        .containsEntry("millrace-origin-topic", retryTopic(1))
        .containsEntry("millrace-origin-offset", "0")
        .containsEntry("millrace-attempts", "2");
    assertThat(seen).extracting(SeenRecord::attempt).containsExactly(1, 2);
    assertThat(seen).extracting(one -> one.headers().size()).containsOnly(0);
    assertThat(ignored()).isEqualTo(1);
  }

  @Test
  void aRetryTopicThatIsMissingHoldsTheRecordUntilItIsThere() {
    broker.create(1);
    broker.send("a", "flaky");

    MessageConsumer consumer =
        subscribe(
            CONFIG.replace("topics: [300ms, 700ms]", "topics: [1ms, 1ms], create-topics: false"),
            this::failTwice);

    await()
        .atMost(SOON)
        .until(
            () ->
                registry.get("millrace.consumer.retry.topic.failures").counter().count() >= 1
                    && consumer.explain().deadLetterOutage().isPresent());
    broker.send("b", "meanwhile");
    await().atMost(SOON).until(() -> outcome("handled") == 1);
    assertThat(committed(broker.topic())).isLessThan(1);

    broker.kafka().createTopic(retryTopic(1), 1);
    broker.kafka().createTopic(retryTopic(2), 1);

    await().atMost(SOON).until(() -> outcome("handled") == 2);
    awaitAllDone();
    assertThat(consumer.state()).isEqualTo(ConsumerState.RUNNING);
    await().atMost(SOON).until(() -> consumer.explain().deadLetterOutage().isEmpty());
  }

  @Test
  void itOutlivesTheProcessThatSentItThere() {
    broker.create(1);
    broker.send("a", "flaky");
    MessageConsumer consumer = subscribe(CONFIG.replace("[300ms, 700ms]", "[1h]"), this::failTwice);
    await().atMost(SOON).until(() -> isWaiting(consumer));
    broker.awaitLagZero();
    broker.closeFactories();
    assertThat(seen).hasSize(1);

    // What it waits for is what is configured now.
    subscribe(CONFIG, this::failTwice);

    await().atMost(SOON).until(() -> outcome("handled") == 1);
    assertThat(seen).extracting(SeenRecord::attempt).containsExactly(1, 2, 3);
  }

  private boolean isWaiting(MessageConsumer consumer) {
    TopicPartition first = new TopicPartition(retryTopic(1), 0);
    return consumer.explain().partitions().stream()
        .anyMatch(
            one -> one.partition().equals(first) && one.pauses().containsKey(PauseCause.NOT_DUE));
  }

  @Test
  void nothingIsHandedOverWhileTheUserHasPausedAndExplainTellsWhy() {
    broker.create(1);
    broker.send("a", "flaky");
    MessageConsumer consumer = subscribe(CONFIG.replace("[300ms,", "[2s,"), this::failTwice);
    TopicPartition waiting = new TopicPartition(retryTopic(1), 0);
    await()
        .atMost(SOON)
        .until(
            () ->
                consumer.explain().partitions().stream()
                    .anyMatch(
                        one ->
                            one.partition().equals(waiting)
                                && one.pauses().containsKey(PauseCause.NOT_DUE)
                                && one.lag().orElse(0) == 1));
    consumer.pause(List.of(waiting)).join();
    long dueNoLater = System.currentTimeMillis() + 2_000;
    await()
        .atMost(SOON)
        .until(
            () ->
                System.currentTimeMillis() > dueNoLater + 500
                    && consumer.explain().silence().isEmpty());
    assertThat(seen).hasSize(1);

    consumer.seek(waiting, 0).join();
    consumer.resume(List.of(waiting)).join();

    await().atMost(SOON).until(() -> outcome("handled") == 1);
    assertThat(seen).extracting(SeenRecord::attempt).containsExactly(1, 2, 3);
  }

  @Test
  void aKeysRecordsNeverOverlapAlthoughOneComesBack() {
    broker.create(1);
    CountDownLatch goOn = new CountDownLatch(1);
    subscribe(
        CONFIG,
        (value, context) -> {
          seen.add(SeenRecord.of(value, context));
          if (value.equals("second")) {
            BrokerFixture.hold(goOn);
          } else if (value.equals("first") && context.attempt() == 1) {
            throw new IllegalStateException("out of stock");
          }
        });
    broker.send("a", "first");
    await().atMost(SOON).until(() -> outcome("retry-topic") == 1);
    broker.send("a", "second");

    await()
        .atMost(SOON)
        .until(() -> registry.get("millrace.consumer.in.flight").gauge().value() == 2);
    broker.send("b", "of another key");
    await().atMost(SOON).until(() -> outcome("handled") == 1);
    assertThat(seen)
        .extracting(SeenRecord::value)
        .containsExactly("first", "second", "of another key");
    goOn.countDown();

    await().atMost(SOON).until(() -> outcome("handled") == 3);
    assertThat(seen)
        .extracting(SeenRecord::value)
        .containsExactly("first", "second", "of another key", "first");
  }

  private MessageConsumer subscribe(String config, RecordHandler<String> handler) {
    registry.clear();
    return broker
        .factory(config, registry)
        .createConsumer("retrying", String.class)
        .subscribe(handler);
  }

  private void fail(String value, RecordContext context) {
    seen.add(SeenRecord.of(value, context));
    throw new IllegalStateException("out of stock");
  }

  private void failTwice(String value, RecordContext context) {
    seen.add(SeenRecord.of(value, context));
    if (value.startsWith("flaky") && context.attempt() < 3) {
      throw new IllegalStateException("out of stock");
    }
  }

  private String retryTopic(int level) {
    return broker.topic() + "." + broker.group() + ".retry." + level;
  }

  private void awaitAllDone() {
    for (String topic : List.of(broker.topic(), retryTopic(1), retryTopic(2))) {
      GroupProbe.of(broker.kafka().bootstrapServers(), broker.group(), topic).awaitLagZero(SOON);
    }
  }

  private long committed(String topic) {
    OffsetAndMetadata offset =
        GroupProbe.of(broker.kafka().bootstrapServers(), broker.group(), topic)
            .committed()
            .get(new TopicPartition(topic, 0));
    return offset == null ? -1 : offset.offset();
  }

  private long at(int attempt) {
    return seen.stream().filter(one -> one.attempt() == attempt).findFirst().orElseThrow().at();
  }

  private double outcome(String outcome) {
    return registry.get("millrace.consumer.records").tag("outcome", outcome).counter().count();
  }

  private double ignored() {
    return registry.get("millrace.consumer.headers.ignored").counter().count();
  }

  private ConsumerRecord<byte[], byte[]> only(String topic) {
    List<ConsumerRecord<byte[], byte[]>> found = broker.read(topic).awaitCount(1, SOON);
    assertThat(found).hasSize(1);
    return found.get(0);
  }

  private List<String> values(String topic) {
    return broker.read(topic).readAll().stream()
        .map(record -> new String(record.value(), UTF_8))
        .toList();
  }

  private static Header header(String name, String text) {
    return new RecordHeader(name, text.getBytes(UTF_8));
  }

  private static Map<String, String> added(ConsumerRecord<byte[], byte[]> record, int original) {
    return Arrays.stream(record.headers().toArray())
        .skip(original)
        .collect(Collectors.toMap(Header::key, header -> new String(header.value(), UTF_8)));
  }
}
