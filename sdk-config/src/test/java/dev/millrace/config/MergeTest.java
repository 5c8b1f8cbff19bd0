package dev.millrace.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MergeTest {
  private static final String BASE =
      """
      kafka:
        common:
          bootstrap-servers: [a:1, b:2]
          properties: { shared: common, only.common: "1" }
        defaults:
          producers: { format: json, properties: { shared: defaults } }
          consumers:
            group-id: service
            retry: { max-attempts: 9, backoff: { initial: 1s } }
            dead-letter: { create-topic: false }
        producers:
          plain: {}
          own: { bootstrap-servers: c:3, format: bytes, properties: { shared: own, only.own: "2" } }
        consumers:
          c:
            topics: [t]
            retry: { backoff: { max: 2s } }
            dead-letter: { topic: dead }
      """;

  @Test
  void commonAndDefaultsFlowIntoEachEntryKeyByKey() {
    KafkaConfig config = ConfigLoader.create().parse("k", BASE);

    assertThat(config.producers().get("plain"))
        .isEqualTo(
            producer(
                "plain",
                List.of("a:1", "b:2"),
                Format.JSON,
                Map.of("shared", "defaults", "only.common", "1")));
    assertThat(config.producers().get("own"))
        .isEqualTo(
            producer(
                "own",
                List.of("c:3"),
                Format.BYTES,
                Map.of("shared", "own", "only.common", "1", "only.own", "2")));
    assertThat(config.common().properties())
        .isEqualTo(Map.of("shared", "common", "only.common", "1"));
    ConsumerDefinition consumer = Objects.requireNonNull(config.consumers().get("c"));
    assertThat(consumer.groupId()).isEqualTo("service");
    assertThat(consumer.properties()).containsEntry("shared", "common");
    assertThat(consumer.deadLetter())
        .isEqualTo(new DeadLetterDefinition("dead", false, Oversize.STOP));
    assertThat(consumer.retry())
        .isEqualTo(
            new RetryDefinition(
                9, new BackoffDefinition(Duration.ofSeconds(1), 2, Duration.ofSeconds(2), 0.2)));
  }

  @Test
  void aLaterFileChangesSingleKeysOfAnEarlierOneWhateverTheirForm(@TempDir Path folder)
      throws IOException {
    KafkaConfig config =
        load(
            folder,
            BASE,
            """
            {"Kafka": {
              "Common": {"BootstrapServers": "prod:9092"},
              "Producers": [{"Name": "own", "Properties": {"only.own": 3}}, {"Name": "new"}],
              "Consumers": {"c": {"Topics": ["u"], "Retry": {"MaxAttempts": 1}}}}}
            """);

    assertThat(config.producers()).containsOnlyKeys("plain", "own", "new");
    assertThat(config.producers().get("own"))
        .isEqualTo(
            producer(
                "own",
                List.of("c:3"),
                Format.BYTES,
                Map.of("shared", "own", "only.common", "1", "only.own", "3")));
    ConsumerDefinition consumer = Objects.requireNonNull(config.consumers().get("c"));
    assertThat(consumer.bootstrapServers()).containsExactly("prod:9092");
    assertThat(consumer.topics()).containsExactly("u");
    assertThat(consumer.retry().maxAttempts()).isEqualTo(1);
    assertThat(consumer.retry().backoff().max()).isEqualTo(Duration.ofSeconds(2));
  }

  @Test
  void problemsOfSeveralFilesComeInTheirOrderAndNameTheFile(@TempDir Path folder) {
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(
            () ->
                load(
                    folder,
                    """
                    kafka:
                      common: { bootstrap-servers: "a:1" }
                      producers: { p: { delivery-semantics: exactly-once, x: 1 } }
                    """,
                    "kafka: { producers: { p: { properties: { acks: 0 } } } }"))
        .withMessage(
            """
            2 problems in %1$s/0.yaml, %1$s/1.yaml
              %1$s/0.yaml:3:55 producers.p.x: unknown key; known keys: bootstrap-servers, delivery-semantics, format, profile, properties, enable-idempotence, instances, idle-eviction, max-in-flight-records, max-in-flight-bytes, when-full, transaction, name, topics
              %1$s/1.yaml:1:48 producers.p.properties.acks: 0 contradicts delivery-semantics exactly-once (%1$s/0.yaml:3); change one of them\
            """
                .formatted(folder));
  }

  private static KafkaConfig load(Path folder, String... texts) throws IOException {
    Path[] files = new Path[texts.length];
    for (int i = 0; i < texts.length; i++) {
      files[i] = Files.writeString(folder.resolve(i + ".yaml"), texts[i]);
    }
    return KafkaConfig.load(files);
  }

  private static ProducerDefinition producer(
      String name, List<String> servers, Format format, Map<String, String> properties) {
    return new ProducerDefinition(
        name,
        servers,
        List.of(),
        DeliverySemantics.AT_LEAST_ONCE,
        null,
        format,
        TuningProfile.BALANCED,
        new TransactionDefinition(null, 4, Duration.ofMinutes(1), Duration.ofSeconds(10)),
        PoolDefinition.defaults(),
        properties);
  }
}
