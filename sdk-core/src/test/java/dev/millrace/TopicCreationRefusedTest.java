package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.config.ConfigLoader;
import dev.millrace.internal.client.ClientProperties;
import dev.millrace.testkit.cluster.ClusterKind;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.probe.TopicProbe;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.PolicyViolationException;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.server.policy.CreateTopicPolicy;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The topics that failed records go to can't be created at the start, but later they can. */
class TopicCreationRefusedTest {
  private static KafkaCluster kafka;

  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

  /** What the brokers refuse for a time, as they do while too few of them are there. */
  public static final class Refusing implements CreateTopicPolicy {
    static final Set<String> REFUSED = ConcurrentHashMap.newKeySet();
    static volatile boolean refuses;

    @Override
    public void configure(Map<String, ?> configs) {}

    @Override
    public void validate(RequestMetadata request) {
      if (refuses && request.topic().contains(".g.")) {
        REFUSED.add(request.topic());
        throw new PolicyViolationException("not now");
      }
    }

    @Override
    public void close() {}
  }

  @BeforeAll
  static void start() {
    kafka =
        KafkaCluster.builder()
            .kind(ClusterKind.EMBEDDED)
            .property("create.topic.policy.class.name", Refusing.class.getName())
            .start();
  }

  @AfterAll
  static void stop() {
    kafka.close();
  }

  @ParameterizedTest
  @CsvSource({"at-least-once, 1", "exactly-once, 0"})
  void theyAreCreatedWhenRecordsNeedThemAndTheBrokersAllowIt(String semantics, int failures)
      throws Exception {
    String topic = "orders-" + semantics;
    kafka.createTopic(topic, 1);
    Refusing.refuses = true;
    try (KafkaFactory factory = factory(topic, semantics);
        KafkaProducer<String, String> source =
            new KafkaProducer<>(
                Map.of("bootstrap.servers", kafka.bootstrapServers()),
                new StringSerializer(),
                new StringSerializer())) {
      factory
          .createConsumer("failing", String.class)
          .subscribe(
              (value, context) -> {
                throw new IllegalStateException("out of stock");
              });
      assertThat(Refusing.REFUSED).contains(topic + ".g.retry.1", topic + ".g.dlq");
      source.send(new ProducerRecord<>(topic, "k", "bad")).get();
      await()
          .atMost(SOON)
          .until(
              () ->
                  registry.get("millrace.consumer.retry.topic.failures").counter().count()
                      >= failures);

      Refusing.refuses = false;

      await()
          .atMost(SOON)
          .until(
              () ->
                  registry
                          .get("millrace.consumer.records")
                          .tag("outcome", "dead-lettered")
                          .counter()
                          .count()
                      == 1);
    }
    assertThat(TopicProbe.of(kafka.bootstrapServers(), topic + ".g.dlq").readAll())
        .singleElement()
        .satisfies(dead -> assertThat(new String(dead.value(), UTF_8)).isEqualTo("bad"));
  }

  private KafkaFactory factory(String topic, String semantics) {
    return KafkaFactory.builder()
        .meterRegistry(registry)
        .create(
            ConfigLoader.create()
                .clientSettings(ClientProperties.knownNames())
                .parse(
                    "test.yaml",
                    """
                    kafka:
                      common: { bootstrap-servers: "%s", instance-id: one }
                      consumers:
                        failing:
                          topics: [%s]
                          group-id: g
                          delivery-semantics: %s
                          retry: { max-attempts: 1, topics: [100ms] }
                          dead-letter: {}
                    """
                        .formatted(kafka.bootstrapServers(), topic, semantics)));
  }
}
