package dev.millrace;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.config.ConfigLoader;
import dev.millrace.producer.Message;
import dev.millrace.producer.MessageProducer;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.probe.TopicProbe;
import dev.millrace.testkit.proxy.Afterwards;
import dev.millrace.testkit.proxy.FaultRule;
import dev.millrace.testkit.proxy.Requests;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerInterceptor;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.protocol.ApiKeys;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Several Kafka clients of one name, behind a proxy that loses answers. */
class ProducerInstancesTest {
  private static final int KEYS = 40;
  private static final int OF_EACH = 500;

  private static KafkaCluster kafka;

  @BeforeAll
  static void start() {
    kafka = KafkaCluster.builder().proxied().start();
  }

  @AfterAll
  static void stop() {
    kafka.close();
  }

  /** Each client has several requests under way when its answers are lost. */
  @Test
  void eachKeyKeepsItsOrderThroughRetries() {
    kafka.createTopic("ordered", 4);
    FaultRule lost =
        kafka.node(1).proxy().dropResponse(Requests.of(ApiKeys.PRODUCE).first(12), Afterwards.CUT);
    List<CompletableFuture<?>> sent = new ArrayList<>();
    try (KafkaFactory factory = factory("ordered", 3);
        MessageProducer<String> producer = factory.createProducer("p", String.class)) {
      for (int i = 0; i < OF_EACH; i++) {
        for (int key = 0; key < KEYS; key++) {
          sent.add(producer.send("key-" + key, Integer.toString(i)));
        }
      }
      CompletableFuture.allOf(sent.toArray(CompletableFuture[]::new)).join();
    }

    assertThat(lost.hits()).isEqualTo(12); // Or nothing is shown.
    Map<String, Integer> next = new HashMap<>();
    for (ConsumerRecord<byte[], byte[]> record : records("ordered")) {
      String key = new String(record.key(), UTF_8);
      int expected = next.getOrDefault(key, 0);
      assertThat(new String(record.value(), UTF_8)).as(key).isEqualTo(Integer.toString(expected));
      next.put(key, expected + 1);
    }
    assertThat(next).hasSize(KEYS).allSatisfy((key, count) -> assertThat(count).isEqualTo(OF_EACH));
  }

  @Test
  void keysStayWithOneClientAndAllClientsHaveTheirShare() {
    kafka.createTopic("shared", 1);
    try (KafkaFactory factory = factory("shared", 3);
        MessageProducer<String> producer = factory.createProducer("p", String.class)) {
      assertThat(BrokerFixture.threads("kafka-producer-network-thread | shared-p"))
          .containsExactly(
              "kafka-producer-network-thread | shared-p-1",
              "kafka-producer-network-thread | shared-p-2",
              "kafka-producer-network-thread | shared-p-3");
      List<Message<String>> messages = new ArrayList<>();
      for (int round = 0; round < 2; round++) {
        for (int key = 0; key < KEYS; key++) {
          messages.add(Message.of("key-" + key, "keyed"));
        }
      }
      for (int i = 0; i < 9; i++) {
        messages.add(Message.of(null, "keyless"));
      }
      producer.sendAll(messages).join();
    }

    Map<String, String> clientOf = new HashMap<>();
    Map<String, Integer> keyless = new TreeMap<>();
    for (ConsumerRecord<byte[], byte[]> record : records("shared")) {
      String client = new String(record.headers().lastHeader("client").value(), UTF_8);
      if (record.key() == null) {
        keyless.merge(client, 1, Integer::sum);
      } else {
        String before = clientOf.putIfAbsent(new String(record.key(), UTF_8), client);
        assertThat(before).isIn(null, client);
      }
    }
    assertThat(clientOf).hasSize(KEYS);
    assertThat(clientOf.values().stream().distinct())
        .containsExactlyInAnyOrder("shared-p-1", "shared-p-2", "shared-p-3");
    assertThat(keyless).isEqualTo(Map.of("shared-p-1", 3, "shared-p-2", 3, "shared-p-3", 3));
  }

  /** Writes the client's id beside each record. */
  public static final class ClientStamp implements ProducerInterceptor<byte[], byte[]> {
    private String client = "";

    @Override
    public void configure(Map<String, ?> settings) {
      client = String.valueOf(settings.get("client.id"));
    }

    @Override
    public ProducerRecord<byte[], byte[]> onSend(ProducerRecord<byte[], byte[]> record) {
      record.headers().add("client", client.getBytes(UTF_8));
      return record;
    }

    @Override
    public void close() {}
  }

  private static List<ConsumerRecord<byte[], byte[]>> records(String topic) {
    return TopicProbe.of(kafka.directServers(), topic).readAll();
  }

  private static KafkaFactory factory(String topic, int instances) {
    return KafkaFactory.create(
        ConfigLoader.create()
            .parse(
                "test.yaml",
                """
                kafka:
                  common: { bootstrap-servers: "%s", service-name: %s }
                  producers:
                    p:
                      topics: [%s]
                      instances: %d
                      properties: { batch.size: 2000, interceptor.classes: "%s" }
                """
                    .formatted(
                        kafka.bootstrapServers(),
                        topic,
                        topic,
                        instances,
                        ClientStamp.class.getName())));
  }
}
