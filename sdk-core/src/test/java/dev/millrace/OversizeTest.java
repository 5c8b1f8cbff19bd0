package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.MessageConsumer;
import dev.millrace.deadletter.DeadLetterFilter;
import dev.millrace.deadletter.DeadLetters;
import dev.millrace.deadletter.Redrive;
import dev.millrace.deadletter.RedriveReport;
import dev.millrace.errors.ConsumerFailedException;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import dev.millrace.testkit.probe.TopicProbe;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A record that is as large as its topic takes, and fails for ever, leaves with headers that it
 * came without; the next ones flow.
 */
@KafkaTest
class OversizeTest {
  private static final int LARGEST = 20_000;
  private static final Map<String, String> LIMIT =
      Map.of("max.message.bytes", Integer.toString(LARGEST));

  /** Longer than what is kept of it. */
  private static final String REASON = "r".repeat(600);

  private static final byte[] KEY = "k".getBytes(UTF_8);

  private final BrokerFixture broker;
  private final KafkaCluster kafka;
  private final KafkaProducer<byte[], byte[]> producer;
  private final Random random = new Random(42);
  private final Queue<Integer> attempts = new ConcurrentLinkedQueue<>();

  OversizeTest(KafkaCluster kafka, TestTopics topics) {
    this.broker = new BrokerFixture(kafka, topics);
    this.kafka = kafka;
    this.producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", kafka.bootstrapServers(), "compression.type", "none"),
            new ByteArraySerializer(),
            new ByteArraySerializer());
    kafka.createTopic(broker.topic(), 1, LIMIT);
  }

  @AfterEach
  void close() {
    producer.close(Duration.ofSeconds(5));
    broker.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"at-least-once", "exactly-once"})
  void theTopicsThatAreMadeForItHaveRoomForItsHeaders(String semantics) {
    ConsumerRecord<byte[], byte[]> largest = sendLargest(KEY, List.of(header("trace", 100)));

    start(semantics, "retry: { max-attempts: 1, topics: [10ms] }, dead-letter: {}");

    ConsumerRecord<byte[], byte[]> dead = onlyDeadLetter();
    assertThat(dead.value()).isEqualTo(largest.value());
    assertThat(dead.headers().lastHeader("trace").value())
        .isEqualTo(largest.headers().lastHeader("trace").value());
    assertThat(texts(dead))
        .containsEntry("millrace-attempts", "2")
        .containsEntry("millrace-exception-message", REASON.substring(0, 512))
        .doesNotContainKeys("millrace-trimmed", "millrace-reference");
    assertThat(attempts).as("attempts at it").containsExactly(1, 2);
    theNextOneFlows();
  }

  /** With 700 bytes of room: less than its headers and the cause need, and enough without. */
  @ParameterizedTest
  @ValueSource(strings = {"at-least-once", "exactly-once"})
  void theCauseIsCutBeforeTheHeadersThatItCameWith(String semantics) {
    ConsumerRecord<byte[], byte[]> largest = sendLargest(KEY, List.of(header("padding", 700)));
    byte[] value = largest.value();
    skipTo(1);
    send(KEY, value, List.of(header("trace", 100)));
    withOwnDeadLetterTopic();

    start(semantics, "retry: { max-attempts: 2, backoff: { initial: 1ms } }, " + OWN);

    ConsumerRecord<byte[], byte[]> dead = onlyDeadLetter();
    assertThat(dead.value()).isEqualTo(value);
    assertThat(texts(dead))
        .containsEntry("millrace-trimmed", "exception-message")
        .containsEntry("millrace-exception-class", "java.lang.IllegalStateException")
        .containsEntry("millrace-attempts", "2")
        .doesNotContainKey("millrace-exception-message");
    assertThat(dead.headers().lastHeader("trace").value()).hasSize(100);
    assertThat(attempts).as("attempts at it").containsExactly(1, 2);
    theNextOneFlows();
  }

  @ParameterizedTest
  @ValueSource(strings = {"at-least-once", "exactly-once"})
  void thenTheHeadersThatItCameWithAreCut(String semantics) {
    ConsumerRecord<byte[], byte[]> largest = sendLargest(KEY, List.of(header("trace", 1_000)));
    withOwnDeadLetterTopic();

    start(semantics, "retry: { max-attempts: 1 }, " + OWN);

    ConsumerRecord<byte[], byte[]> dead = onlyDeadLetter();
    assertThat(dead.value()).isEqualTo(largest.value());
    assertThat(texts(dead))
        .containsOnlyKeys(
            "millrace-origin-topic",
            "millrace-origin-partition",
            "millrace-origin-offset",
            "millrace-origin-timestamp",
            "millrace-group",
            "millrace-attempts",
            "millrace-gave-up",
            "millrace-trimmed")
        .containsEntry("millrace-trimmed", "exception-message,exception-class,headers");
    theNextOneFlows();
  }

  @ParameterizedTest
  @ValueSource(strings = {"at-least-once", "exactly-once"})
  void whereNothingHelpsTheConsumerStops(String semantics) {
    sendLargest(KEY, List.of());
    withOwnDeadLetterTopic();

    MessageConsumer consumer = start(semantics, "retry: { max-attempts: 1 }, " + OWN);

    assertThatThrownBy(() -> consumer.awaitClosed(SOON))
        .isInstanceOf(ConsumerFailedException.class)
        .hasMessageContaining(broker.topic() + "-0@0, wh")
        .hasMessageContaining("or write 'dead-letter.oversize: reference'")
        .hasRootCauseInstanceOf(RecordTooLargeException.class);
    assertThat(broker.committed(0)).isLessThan(1);
    assertThat(committed(broker.deadLetterTopic())).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"at-least-once", "exactly-once"})
  void orADeadLetterSaysWhereItStands(String semantics) {
    sendLargest(KEY, List.of(header("trace", 100)));
    withOwnDeadLetterTopic();

    start(semantics, "retry: { max-attempts: 1 }, " + REFERENCE);

    ConsumerRecord<byte[], byte[]> dead = onlyDeadLetter();
    assertThat(dead.key()).isEqualTo(KEY);
    assertThat(dead.value()).as("no tombstone").isEmpty();
    assertThat(texts(dead))
        .containsEntry("millrace-reference", "true")
        .containsEntry("millrace-trimmed", "exception-message,exception-class,headers,value")
        .containsEntry("millrace-origin-offset", "0");
    theNextOneFlows();
  }

  @Test
  void ofAKeyThatIsTooLargeByItselfNothingIsLeft() {
    byte[] key = new byte[LARGEST - 300];
    sendLargest(key, List.of());
    withOwnDeadLetterTopic();

    start("at-least-once", "retry: { max-attempts: 1 }, " + REFERENCE);

    ConsumerRecord<byte[], byte[]> dead = onlyDeadLetter();
    assertThat(dead.key()).isNull();
    assertThat(texts(dead))
        .containsEntry("millrace-trimmed", "exception-message,exception-class,headers,value,key");
    theNextOneFlows();
  }

  /** It came compressed, and it can come back. */
  @Test
  void aLargeOneIsCompressedAndNothingOfItIsCut() throws Exception {
    byte[] value = new byte[2_000_000];
    Map<String, Object> settings = new HashMap<>();
    settings.put("bootstrap.servers", kafka.bootstrapServers());
    settings.put("compression.type", "gzip");
    settings.put("max.request.size", "10000000");
    try (KafkaProducer<byte[], byte[]> compressing =
        new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
      assertThat(compressing.send(new ProducerRecord<>(broker.topic(), KEY, value)))
          .succeedsWithin(SOON);
    }
    withOwnDeadLetterTopic();

    KafkaFactory factory = factory("at-least-once", "retry: { max-attempts: 1 }, " + OWN);
    start(factory);

    ConsumerRecord<byte[], byte[]> dead = onlyDeadLetter();
    assertThat(dead.value()).isEqualTo(value);
    assertThat(texts(dead)).doesNotContainKey("millrace-trimmed");
    theNextOneFlows();
    RedriveReport back =
        factory.deadLetters("oversize").redrive(Redrive.of(DeadLetterFilter.all()));
    assertThat(back.redriven()).isEqualTo(1);
  }

  /** What it would need to wait there does not fit. */
  @ParameterizedTest
  @ValueSource(strings = {"at-least-once", "exactly-once"})
  void aRetryTopicThatHasNoRoomForItIsPassed(String semantics) {
    ConsumerRecord<byte[], byte[]> largest = sendLargest(KEY, List.of());
    kafka.createTopic(broker.topic() + "." + broker.group() + ".retry.1", 1, LIMIT);

    start(semantics, "retry: { max-attempts: 1, topics: [10ms] }, dead-letter: {}");

    ConsumerRecord<byte[], byte[]> dead = onlyDeadLetter();
    assertThat(dead.value()).isEqualTo(largest.value());
    assertThat(texts(dead))
        .containsEntry("millrace-attempts", "1")
        .containsEntry("millrace-gave-up", "too large for its retry topic")
        .containsEntry("millrace-exception-class", "java.lang.IllegalStateException");
    assertThat(attempts).as("attempts at it").containsExactly(1);
    theNextOneFlows();
  }

  @Test
  void whatHasNoRoomOnItsWayBackStaysUntilItHas() throws Exception {
    sendLargest(KEY, List.of());
    KafkaFactory factory = factory("at-least-once", "retry: { max-attempts: 1 }, dead-letter: {}");
    start(factory);
    assertThat(onlyDeadLetter().value()).isNotEmpty();
    DeadLetters letters = factory.deadLetters("oversize");
    Redrive all = Redrive.of(DeadLetterFilter.all());

    assertThat(letters.dryRun(all)).isEqualTo(new RedriveReport(true, 0, 0, 0, 0, 1, 0, Map.of()));
    assertThat(letters.redrive(all))
        .isEqualTo(new RedriveReport(false, 0, 0, 0, 0, 1, 0, Map.of()));

    raiseLimit();
    await().atMost(SOON).untilAsserted(() -> assertThat(letters.dryRun(all).tooLarge()).isZero());
    assertThat(letters.redrive(all).redriven()).isEqualTo(1);
  }

  /** What was left out of its dead letter stands where it came from. */
  @Test
  void alsoWhatIsOnlyAReference() throws Exception {
    ConsumerRecord<byte[], byte[]> largest = sendLargest(KEY, List.of(header("trace", 100)));
    withOwnDeadLetterTopic();
    KafkaFactory factory = factory("at-least-once", "retry: { max-attempts: 1 }, " + REFERENCE);
    start(factory);
    assertThat(onlyDeadLetter().value()).isEmpty();
    DeadLetters letters = factory.deadLetters("oversize");
    Redrive all = Redrive.of(DeadLetterFilter.all());
    assertThat(letters.redrive(all))
        .isEqualTo(new RedriveReport(false, 0, 0, 0, 0, 1, 0, Map.of()));

    raiseLimit();
    await().atMost(SOON).untilAsserted(() -> assertThat(letters.dryRun(all).tooLarge()).isZero());
    assertThat(letters.redrive(all).redriven()).isEqualTo(1);

    ConsumerRecord<byte[], byte[]> back = committed(broker.topic()).get(1);
    assertThat(back.value()).isEqualTo(largest.value());
    assertThat(back.headers().lastHeader("trace").value())
        .isEqualTo(largest.headers().lastHeader("trace").value());
  }

  private void raiseLimit() throws Exception {
    kafka
        .admin()
        .incrementalAlterConfigs(
            Map.of(
                new ConfigResource(ConfigResource.Type.TOPIC, broker.topic()),
                List.of(
                    new AlterConfigOp(
                        new ConfigEntry("max.message.bytes", Integer.toString(LARGEST + 1_000)),
                        AlterConfigOp.OpType.SET))))
        .all()
        .get();
  }

  private static final String OWN = "dead-letter: { create-topic: false }";
  private static final String REFERENCE =
      "dead-letter: { create-topic: false, oversize: reference }";

  private void withOwnDeadLetterTopic() {
    kafka.createTopic(broker.deadLetterTopic(), 1, LIMIT);
  }

  private KafkaFactory factory(String semantics, String keys) {
    return broker.factory(
        """
        kafka:
          common: { bootstrap-servers: "${BROKERS}" }
          consumers:
            oversize:
              { topics: ["${TOPIC}"], group-id: "${GROUP}", delivery-semantics: %s, %s }
        """
            .formatted(semantics, keys));
  }

  private MessageConsumer start(String semantics, String keys) {
    return start(factory(semantics, keys));
  }

  private MessageConsumer start(KafkaFactory factory) {
    return factory
        .createConsumer("oversize", byte[].class)
        .subscribe(
            (value, context) -> {
              if (value.length > 10) {
                attempts.add(context.attempt());
                throw new IllegalStateException(REASON);
              }
            });
  }

  private void theNextOneFlows() {
    broker.send("next", "small");
    broker.awaitLagZero();
  }

  /** As if the group had been past what was sent before. */
  private void skipTo(long offset) {
    assertThat(
            kafka
                .admin()
                .alterConsumerGroupOffsets(
                    broker.group(), Map.of(broker.partition(0), new OffsetAndMetadata(offset)))
                .all()
                .toCompletionStage()
                .toCompletableFuture())
        .succeedsWithin(SOON);
  }

  /** Sends the largest record with this key and these headers that the topic takes. */
  private ConsumerRecord<byte[], byte[]> sendLargest(byte[] key, List<Header> headers) {
    int others = key.length + headers.stream().mapToInt(header -> header.value().length).sum();
    int bytes = LARGEST - others;
    while (bytes > 0 && !isTaken(key, random(bytes), headers)) {
      bytes--;
    }
    return TopicProbe.of(kafka.bootstrapServers(), broker.topic()).awaitCount(1, SOON).get(0);
  }

  private boolean isTaken(byte[] key, byte[] value, List<Header> headers) {
    try {
      send(key, value, headers);
      return true;
    } catch (IllegalArgumentException tooLarge) {
      return false;
    }
  }

  private void send(byte[] key, byte[] value, List<Header> headers) {
    try {
      var unused =
          producer.send(new ProducerRecord<>(broker.topic(), null, key, value, headers)).get();
    } catch (ExecutionException e) {
      assertThat(e).hasCauseInstanceOf(RecordTooLargeException.class);
      throw new IllegalArgumentException(e);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** What no compression makes smaller. */
  private byte[] random(int bytes) {
    byte[] value = new byte[bytes];
    random.nextBytes(value);
    return value;
  }

  private Header header(String name, int bytes) {
    return new RecordHeader(name, random(bytes));
  }

  private ConsumerRecord<byte[], byte[]> onlyDeadLetter() {
    await().atMost(SOON).until(() -> !committed(broker.deadLetterTopic()).isEmpty());
    broker.awaitLagZero();
    List<ConsumerRecord<byte[], byte[]>> dead = committed(broker.deadLetterTopic());
    assertThat(dead).hasSize(1);
    return dead.get(0);
  }

  private List<ConsumerRecord<byte[], byte[]>> committed(String topic) {
    return TopicProbe.of(kafka.bootstrapServers(), topic, IsolationLevel.READ_COMMITTED).readAll();
  }

  private static Map<String, String> texts(ConsumerRecord<byte[], byte[]> dead) {
    Map<String, String> texts = new HashMap<>();
    Arrays.stream(dead.headers().toArray())
        .filter(header -> header.key().startsWith("millrace-"))
        .forEach(header -> texts.put(header.key(), new String(header.value(), UTF_8)));
    return texts;
  }
}
