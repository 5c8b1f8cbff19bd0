package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millrace.errors.InvalidDefinitionException;
import dev.millrace.errors.PayloadException;
import dev.millrace.producer.MessageProducer;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Named producers: one client for a name, light handles on it, values in their formats. */
@KafkaTest
class ProducersTest {
  private static final String CONFIG =
      """
      kafka:
        common: { bootstrap-servers: "${BROKERS}" }
        producers:
          single: { topics: ["${TOPIC}"] }
          several: { topics: ["${TOPIC}", "${TOPIC}.other"] }
          lingering: { topics: ["${TOPIC}"], properties: { linger.ms: 60000 } }
          text: { topics: ["${TOPIC}"], format: string }
          refused:
            topics: ["${TOPIC}"]
            properties: { interceptor.classes: java.lang.String }
        consumers:
          orders: { topics: ["${TOPIC}"], group-id: "${GROUP}" }
      """;

  private final BrokerFixture broker;
  private final KafkaFactory factory;

  ProducersTest(KafkaCluster kafka, TestTopics topics) {
    broker = new BrokerFixture(kafka, topics);
    broker.create(1);
    factory = broker.factory(CONFIG);
  }

  @AfterEach
  void close() {
    broker.close();
  }

  record Order(String id, int quantity) {}

  @Test
  void handlesOfOneNameShareAClientThatOutlivesThem() {
    MessageProducer<String> first = factory.createProducer("single", String.class);
    MessageProducer<Order> second = factory.createProducer("single", Order.class);
    first.send("a", "1").join();
    second.send("a", new Order("o-1", 2)).join();
    assertThat(clients("single")).hasSize(1);

    first.close();
    first.close();
    assertThatThrownBy(() -> first.send("a", "2"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("single");
    assertThatThrownBy(first::flush).isInstanceOf(IllegalStateException.class);
    second.send("a", new Order("o-2", 2)).join();
    second.close();
    MessageProducer<String> third = factory.createProducer("single", String.class);
    third.send("a", "3").join();

    assertThat(clients("single")).hasSize(1);
    assertThat(values(broker.topic()))
        .containsExactly(
            "1", "{\"id\":\"o-1\",\"quantity\":2}", "{\"id\":\"o-2\",\"quantity\":2}", "3");
  }

  @Test
  void aProducerOfSeveralTopicsIsToldWhichOne() {
    String other = broker.topic() + ".other";
    broker.kafka().createTopic(other, 1);
    MessageProducer<String> producer = factory.createProducer("several", String.class);

    producer.send(broker.topic(), "a", "here").join();
    producer.send(other, "a", "there").join();
    assertThat(values(broker.topic())).containsExactly("here");
    assertThat(values(other)).containsExactly("there");

    assertThatThrownBy(() -> producer.send("a", "where?"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining(broker.topic())
        .hasMessageContaining(other);
    assertThatThrownBy(() -> producer.send("elsewhere", "a", "wrong"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("'elsewhere'")
        .hasMessageContaining(broker.topic())
        .hasMessageContaining(other);
  }

  @Test
  void bytesAndTextTravelAsTheyAreAndAllElseAsJson() {
    byte[] bytes = {0, (byte) 0xFF, 1};
    factory.createProducer("single", byte[].class).send("bytes", bytes).join();
    factory.createProducer("single", String.class).send("text", "grün").join();
    factory.createProducer("text", String.class).send("text", "grün").join();
    factory.createProducer("single", Order.class).send("json", new Order("o-1", 3)).join();
    MessageProducer<Object> any = factory.createProducer("single");
    any.send("bytes", bytes).join();
    any.send("text", "grün").join();
    any.send("json", new Order("o-1", 3)).join();
    any.send("json", Map.of("id", "o-1")).join();
    any.send("tombstone", null).join();
    any.send(null, "no key").join();

    List<ConsumerRecord<byte[], byte[]>> sent = broker.read(broker.topic()).readAll();
    byte[] text = "grün".getBytes(UTF_8);
    byte[] json = "{\"id\":\"o-1\",\"quantity\":3}".getBytes(UTF_8);
    assertThat(sent)
        .extracting(ConsumerRecord::value)
        .containsExactly(
            bytes,
            text,
            text,
            json,
            bytes,
            text,
            json,
            "{\"id\":\"o-1\"}".getBytes(UTF_8),
            null,
            "no key".getBytes(UTF_8));
    assertThat(sent.get(0).key()).isEqualTo("bytes".getBytes(UTF_8));
    assertThat(sent.get(9).key()).isNull();
  }

  @Test
  void whatAFormatCannotHoldIsRefusedByType() {
    assertThatThrownBy(() -> factory.createProducer("text", Order.class))
        .isInstanceOf(InvalidDefinitionException.class)
        .hasMessageContaining("text");
    assertThatThrownBy(() -> factory.createProducer("single").send("a", new Object()))
        .isInstanceOf(PayloadException.class);
  }

  @Test
  void aSettingThatTheClientRefusesIsTheDefinitionsFault() {
    assertThatThrownBy(() -> factory.createProducer("refused"))
        .isInstanceOf(InvalidDefinitionException.class)
        .hasMessageContaining("refused")
        .hasMessageContaining("java.lang.String");
  }

  @Test
  void jsonComesBackAsItsType() {
    Queue<Order> seen = new ConcurrentLinkedQueue<>();
    factory.createConsumer("orders", Order.class).subscribe((order, context) -> seen.add(order));

    factory.createProducer("single", Order.class).send("a", new Order("o-7", 4)).join();

    await().atMost(SOON).untilAsserted(() -> assertThat(seen).containsExactly(new Order("o-7", 4)));
  }

  @Test
  void aClosedFactoryTakesNoMore() {
    MessageProducer<String> producer = factory.createProducer("single", String.class);
    producer.send("a", "1").join();

    factory.close();

    assertThatThrownBy(() -> producer.send("a", "2")).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(producer::flush).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> factory.createProducer("single", String.class))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> factory.createProducer("several"))
        .isInstanceOf(IllegalStateException.class);
    assertThat(clients("single")).isEmpty();
    assertThat(clients("several")).isEmpty();
    assertThat(values(broker.topic())).containsExactly("1");
  }

  @Test
  void aFactoryThatClosesFirstWritesWhatWasSent() {
    MessageProducer<String> producer = factory.createProducer("lingering", String.class);
    List<CompletableFuture<RecordMetadata>> sent =
        IntStream.range(0, 500).mapToObj(i -> producer.send("a", Integer.toString(i))).toList();

    factory.close();

    assertThat(sent).allMatch(each -> each.isDone() && !each.isCompletedExceptionally());
    assertThat(values(broker.topic())).hasSize(500).startsWith("0", "1").endsWith("499");
  }

  private List<String> values(String topic) {
    return broker.read(topic).readAll().stream()
        .map(record -> new String(record.value(), UTF_8))
        .toList();
  }

  private static List<String> clients(String clientId) {
    String name = "kafka-producer-network-thread | " + clientId;
    return BrokerFixture.threads(name).stream().filter(name::equals).toList();
  }
}
