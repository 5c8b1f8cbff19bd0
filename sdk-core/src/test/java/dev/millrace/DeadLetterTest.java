package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.RecordHandler;
import dev.millrace.errors.PayloadException;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * A failure that stays: the record goes to the dead-letter topic as it came, and the next flows.
 */
@KafkaTest
class DeadLetterTest {
  private static final String CONFIG =
      """
      kafka:
        common: { bootstrap-servers: "${BROKERS}" }
        consumers:
          dead-letter:
            topics: ["${TOPIC}"]
            group-id: ${GROUP}
            retry: { max-attempts: 2, backoff: { initial: 1ms } }
            dead-letter: {}
      """;

  private final BrokerFixture broker;
  private final Queue<String> seen = new ConcurrentLinkedQueue<>();

  DeadLetterTest(KafkaCluster kafka, TestTopics topics) {
    broker = new BrokerFixture(kafka, topics);
  }

  @AfterEach
  void close() {
    broker.close();
  }

  record Order(String id, int quantity) {}

  @Test
  void aRecordWhoseAttemptsAreUsedUpArrivesUnaltered() throws Exception {
    broker.create(3);
    byte[] key = {0, (byte) 0xC3, 0x28, (byte) 0xFF};
    byte[] value = {(byte) 0xFE, 0, 1, (byte) 0x80};
    // Not now, but young enough for the broker's retention.
    long timestamp = System.currentTimeMillis() - 60_000;
    List<Header> headers =
        List.of(
            new RecordHeader("trace", new byte[] {0, (byte) 0xFF}),
            new RecordHeader("trace", "second".getBytes(UTF_8)),
            new RecordHeader("empty", null));
    RecordMetadata sent =
        broker.send(new ProducerRecord<>(broker.topic(), 2, timestamp, key, value, headers));
    broker.send(new ProducerRecord<>(broker.topic(), 2, key, "next".getBytes(UTF_8)));

    subscribe(
        byte[].class,
        (bytes, context) -> {
          seen.add(bytes.length + "#" + context.attempt());
          if (bytes.length == value.length && bytes[0] == value[0]) {
            throw new IllegalStateException("out of stock");
          }
        });

    broker.awaitLagZero();
    ConsumerRecord<byte[], byte[]> dead = onlyDeadLetter();
    assertThat(dead.key()).isEqualTo(key);
    assertThat(dead.value()).isEqualTo(value);
    assertThat(Arrays.copyOf(dead.headers().toArray(), 3)).containsExactlyElementsOf(headers);
    assertThat(added(dead, 3))
        .isEqualTo(
            Map.of(
                "millrace-origin-topic",
                broker.topic(),
                "millrace-origin-partition",
                "2",
                "millrace-origin-offset",
                Long.toString(sent.offset()),
                "millrace-origin-timestamp",
                Long.toString(timestamp),
                "millrace-group",
                broker.group(),
                "millrace-attempts",
                "2",
                "millrace-gave-up",
                "attempts used up",
                "millrace-exception-class",
                "java.lang.IllegalStateException",
                "millrace-exception-message",
                "out of stock"));
    assertThat(seen).containsExactly("4#1", "4#2", "4#1");
    assertThat(
            broker
                .kafka()
                .admin()
                .describeTopics(List.of(broker.deadLetterTopic()))
                .allTopicNames()
                .get()
                .get(broker.deadLetterTopic())
                .partitions())
        .as("partitions of the dead-letter topic, as many as the source has")
        .hasSize(3);
  }

  @Test
  void poisonBytesGoThereWithoutRetryAndTheNextRecordFlows() {
    broker.create(1);
    byte[] poison = {(byte) 0xFF, '{', 0, (byte) 0x80};
    broker.send(new ProducerRecord<>(broker.topic(), "a".getBytes(UTF_8), poison));
    broker.send("a", "{\"id\":\"o-1\",\"quantity\":3}");

    subscribe(Order.class, (order, context) -> seen.add(order.id() + "x" + order.quantity()));

    broker.awaitLagZero();
    ConsumerRecord<byte[], byte[]> dead = onlyDeadLetter();
    assertThat(dead.value()).isEqualTo(poison);
    assertThat(added(dead, 0))
        .containsEntry("millrace-attempts", "1")
        .containsEntry("millrace-gave-up", "undecodable")
        .containsEntry("millrace-exception-class", PayloadException.class.getName());
    assertThat(seen).containsExactly("o-1x3");
  }

  @Test
  void anErrorGoesThereToo() {
    broker.create(1);
    broker.send("a", "recursive");

    subscribe(
        String.class,
        (text, context) -> {
          throw new StackOverflowError("too deep");
        });

    broker.awaitLagZero();
    assertThat(added(onlyDeadLetter(), 0))
        .containsEntry("millrace-exception-class", "java.lang.StackOverflowError")
        .containsEntry("millrace-exception-message", "too deep")
        .containsEntry("millrace-attempts", "2");
  }

  @Test
  void aTombstoneAndARecordWithoutKeyReachTheHandlerAsTheyAre() {
    broker.create(1);
    broker.send("gone", null);
    broker.send(null, "{\"id\":\"o-2\",\"quantity\":1}");

    subscribe(
        Order.class,
        (order, context) -> {
          assertThat(context.keyBytes() == null).isEqualTo(context.key() == null);
          seen.add(context.key() + "=" + (order == null ? "null" : order.id()));
        });

    await()
        .atMost(SOON)
        .untilAsserted(() -> assertThat(seen).containsExactlyInAnyOrder("gone=null", "null=o-2"));
    broker.awaitLagZero();
    assertThat(broker.read(broker.deadLetterTopic()).readAll()).isEmpty();
  }

  /** Null stays null on the way: an empty array would not be a tombstone any more. */
  @Test
  void aTombstoneWithoutKeyIsOneInTheDeadLetterTopicToo() {
    broker.create(1);
    broker.send(null, null);

    subscribe(
        Order.class,
        (order, context) -> {
          throw new IllegalArgumentException();
        });

    broker.awaitLagZero();
    ConsumerRecord<byte[], byte[]> dead = onlyDeadLetter();
    assertThat(dead.key()).isNull();
    assertThat(dead.value()).isNull();
  }

  private <V> void subscribe(Class<V> type, RecordHandler<V> handler) {
    broker.factory(CONFIG).createConsumer("dead-letter", type).subscribe(handler);
  }

  private ConsumerRecord<byte[], byte[]> onlyDeadLetter() {
    List<ConsumerRecord<byte[], byte[]>> dead =
        broker.read(broker.deadLetterTopic()).awaitCount(1, SOON);
    assertThat(dead).hasSize(1);
    return dead.get(0);
  }

  private static Map<String, String> added(ConsumerRecord<byte[], byte[]> dead, int original) {
    return Arrays.stream(dead.headers().toArray())
        .skip(original)
        .collect(Collectors.toMap(Header::key, header -> new String(header.value(), UTF_8)));
  }
}
