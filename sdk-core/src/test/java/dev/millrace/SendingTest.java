package dev.millrace;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import dev.millrace.errors.PayloadException;
import dev.millrace.errors.SendAllException;
import dev.millrace.producer.Message;
import dev.millrace.producer.MessageProducer;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletionException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a send may say, and the ways to wait for it, or not to. */
@KafkaTest
class SendingTest {
  private static final String CONFIG =
      """
      kafka:
        common: { bootstrap-servers: "${BROKERS}" }
        producers:
          quick: { topics: ["${TOPIC}"], profile: latency, properties: { max.request.size: 1000 } }
          lingering: { topics: ["${TOPIC}"], properties: { linger.ms: 600000, delivery.timeout.ms: 700000 } }
          several: { topics: ["${TOPIC}", "${TOPIC}.other"] }
      """;
  private static final String TOO_LARGE = "x".repeat(2000);

  private final BrokerFixture broker;
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final KafkaFactory factory;
  private final MessageProducer<String> quick;

  SendingTest(KafkaCluster kafka, TestTopics topics) {
    broker = new BrokerFixture(kafka, topics);
    broker.create(2);
    factory = broker.factory(CONFIG, registry);
    quick = factory.createProducer("quick", String.class);
  }

  @AfterEach
  void close() {
    broker.close();
  }

  @Test
  void aMessageSaysKeyHeadersPartitionAndTimestamp() {
    Instant then = Instant.parse("2024-02-29T12:00:00.123Z");
    RecordMetadata sent =
        quick
            .send(
                Message.of("a", "1")
                    .withHeader("region", "süd")
                    .withHeader("region", new byte[] {0, -1})
                    .withHeader("none", (byte[]) null)
                    .withPartition(1)
                    .withTimestamp(then))
            .join();
    quick.send(Message.<String>tombstone("gone").withPartition(1)).join();

    assertThat(sent.partition()).isEqualTo(1);
    List<ConsumerRecord<byte[], byte[]>> records = broker.read(broker.topic()).readAll();
    assertThat(records).hasSize(2);
    ConsumerRecord<byte[], byte[]> record = records.get(0);
    assertThat(record.partition()).isEqualTo(1);
    assertThat(record.timestamp()).isEqualTo(then.toEpochMilli());
    assertThat(record.key()).isEqualTo("a".getBytes(UTF_8));
    assertThat(record.value()).isEqualTo("1".getBytes(UTF_8));
    assertThat(record.headers().toArray())
        .extracting(header -> header.key() + "=" + bytes(header.value()))
        .containsExactly("region=" + bytes("süd".getBytes(UTF_8)), "region=[0, -1]", "none=null");
    assertThat(records.get(1).key()).isEqualTo("gone".getBytes(UTF_8));
    assertThat(records.get(1).value()).isNull();
  }

  @Test
  void aMessageIsThePatternOfOthersAndShowsNoPayload() {
    Message<String> pattern = Message.of("secret-key", "secret-value").withHeader("h", "secret-h");
    Message<String> other = pattern.withTopic("audit").withPartition(3);

    assertThat(pattern.topic()).isNull();
    assertThat(pattern.partition()).isNull();
    assertThat(other.headers()).isEqualTo(pattern.headers());
    assertThat(other.toString()).contains("audit", "3", "[h]").doesNotContain("secret");
    assertThatThrownBy(() -> pattern.withPartition(-1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("-1");
    assertThatThrownBy(() -> pattern.withTimestamp(Instant.ofEpochMilli(-1)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void allThatIsSentTogetherIsAcknowledgedInItsOrder() {
    List<RecordMetadata> sent =
        quick
            .sendAll(
                List.of(
                    Message.of("a", "1").withPartition(0),
                    Message.of("b", "2").withPartition(1),
                    Message.of("a", "3").withPartition(0)))
            .join();

    assertThat(sent).extracting(RecordMetadata::partition).containsExactly(0, 1, 0);
    assertThat(sent).extracting(RecordMetadata::offset).containsExactly(0L, 0L, 1L);
    assertThat(quick.sendAll(List.of()).join()).isEmpty();
  }

  @Test
  void whatFailsAmongManyIsNamedAndTheOthersAreWritten() {
    Throwable failure =
        catchThrowable(
            () ->
                quick
                    .sendAll(
                        List.of(
                            Message.of("a", "1"), Message.of("a", TOO_LARGE), Message.of("a", "3")))
                    .join());

    assertThat(failure).isInstanceOf(CompletionException.class);
    assertThat(failure.getCause())
        .isInstanceOfSatisfying(
            SendAllException.class,
            named -> {
              assertThat(named).hasMessageContainingAll("'quick'", "1 of 3", "index 1");
              assertThat(named.failures()).containsOnlyKeys(1);
              assertThat(named.failures().get(1)).isInstanceOf(RecordTooLargeException.class);
            });
    assertThat(values()).containsExactly("1", "3");
  }

  @Test
  void oneThatCannotBeSentKeepsAllBack() {
    MessageProducer<Object> any = factory.createProducer("several");
    Message<Object> good = Message.<Object>of("a", "1").withTopic(broker.topic());

    assertThatThrownBy(
            () ->
                any.sendAll(List.of(good, Message.of("a", new Object()).withTopic(broker.topic()))))
        .isInstanceOf(PayloadException.class);
    assertThatThrownBy(() -> any.sendAll(List.of(good, good.withTopic("elsewhere"))))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> any.sendAndForget(Message.of("a", "which topic?")))
        .isInstanceOf(IllegalStateException.class);
    any.flush();

    assertThat(values()).isEmpty();
  }

  @Test
  void failuresThatNobodyWaitsForAreCounted() {
    quick.sendAndForget(Message.of("a", "1"));
    quick.sendAndForget(Message.of("a", TOO_LARGE));
    quick.sendAndForget(Message.of("a", TOO_LARGE));

    await().untilAsserted(() -> assertThat(counted("acknowledged")).isEqualTo(1));
    await().untilAsserted(() -> assertThat(counted("failed")).isEqualTo(2));
    assertThat(values()).containsExactly("1");
  }

  @Test
  void aSendThatIsWaitedForGivesItsPlaceOrItsFailure() {
    RecordMetadata sent =
        quick.sendAndWait(Message.of("a", "1").withPartition(1), BrokerFixture.SOON);
    assertThat(sent.partition()).isEqualTo(1);
    assertThat(sent.offset()).isZero();

    assertThatThrownBy(() -> quick.sendAndWait(Message.of("a", TOO_LARGE), BrokerFixture.SOON))
        .isInstanceOf(RecordTooLargeException.class);
  }

  @Test
  void aWaitThatIsTooLongEndsAndSaysThatTheRecordMayStillBeWritten() {
    MessageProducer<String> lingering = factory.createProducer("lingering", String.class);

    assertThatThrownBy(() -> lingering.sendAndWait(Message.of("a", "1"), Duration.ofMillis(20)))
        .isInstanceOf(TimeoutException.class)
        .hasMessageContainingAll("'lingering'", "20 ms", "may still be written");

    lingering.flush();
    assertThat(values()).containsExactly("1");
  }

  @Test
  void anInterruptEndsTheWaitAndStays() {
    MessageProducer<String> lingering = factory.createProducer("lingering", String.class);
    var unused = lingering.send("a", "1"); // The topic is known: the send itself does not wait.

    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> lingering.sendAndWait(Message.of("a", "2"), BrokerFixture.SOON))
        .isInstanceOf(InterruptException.class);
    assertThat(Thread.interrupted()).isTrue();
  }

  private double counted(String outcome) {
    return registry
        .get("millrace.producer.records")
        .tags("producer", "quick", "outcome", outcome)
        .counter()
        .count();
  }

  private List<String> values() {
    return broker.read(broker.topic()).readAll().stream()
        .map(record -> new String(record.value(), UTF_8))
        .toList();
  }

  private static String bytes(byte[] bytes) {
    return Arrays.toString(bytes);
  }
}
