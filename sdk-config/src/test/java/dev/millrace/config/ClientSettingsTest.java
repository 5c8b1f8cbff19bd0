package dev.millrace.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ClientSettingsTest {
  private static final ConfigLoader CHECKING =
      ConfigLoader.create().clientSettings(Report.SETTINGS);

  @Test
  void aClassThatCannotBeLoadedIsRefusedWhereItsNameStands() {
    ConfigLoader loader =
        ConfigLoader.create()
            .environment(Map.of("SECRET", "no.such.Secret"))
            .clientSettings(
                new ClientSettingNames(
                    Set.of("interceptor.classes", "acks"),
                    Set.of("interceptor.classes"),
                    Set.of("interceptor.classes")));

    assertThat(
            Report.of(
                loader,
                "kafka.yaml",
                """
                kafka:
                  common: { bootstrap-servers: "a:1", properties: { interceptor.classes: no.such.A } }
                  defaults:
                    consumers: { properties: { interceptor.classes: "${SECRET}" } }
                  producers:
                    p:
                      properties:
                        acks: all
                        interceptor.classes: java.lang.String, no.such.B, java.util.Map$Entry
                """))
        .isEqualTo(
            """
            kafka.yaml:2:74 common.properties.interceptor.classes: 'no.such.A' is no class on the classpath; write its full name, with $ before a nested class, and add its jar
            kafka.yaml:4:53 defaults.consumers.properties.interceptor.classes: the value of '${SECRET}' is no class on the classpath; write its full name, with $ before a nested class, and add its jar
            kafka.yaml:9:30 producers.p.properties.interceptor.classes: 'no.such.B' is no class on the classpath; write its full name, with $ before a nested class, and add its jar\
            """);
  }

  @ParameterizedTest
  @CsvSource({
    "bootstrap.servers, bootstrap-servers",
    "group.id, group-id",
    "auto.offset.reset, on-missing-offset",
    "enable.auto.commit, commit-interval",
    "auto.commit.interval.ms, commit-interval",
    "key.deserializer, format",
    "value.deserializer, format",
    "transaction.timeout.ms, transaction.timeout",
    "transactional.id, delivery-semantics: exactly-once"
  })
  void reservedNamesAreRefusedWithTheKeyToUse(String setting, String instead) {
    assertThat(Report.ofConsumer("properties: { " + setting + ": x }"))
        .isEqualTo(
            "kafka.yaml:7:21 consumers.c.properties.%s: is set by Millrace; write '%s' instead"
                .formatted(setting, instead));
    assertThat(Report.ofYaml("kafka: { common: { properties: { " + setting + ": x } } }"))
        .contains("is set by Millrace");
  }

  @ParameterizedTest
  @CsvSource({
    "at-least-once, acks, 1",
    "at-least-once, acks, 0",
    "exactly-once, acks, 1",
    "at-least-once, max.in.flight.requests.per.connection, 6",
    "exactly-once, enable.idempotence, false",
    "exactly-once, retries, 0",
    "exactly-once, max.in.flight.requests.per.connection, 6",
    "at-most-once, retries, 1",
    "at-most-once, enable.idempotence, true"
  })
  void producerSettingsThatBreakThePromiseAreRefusedNamingBothLines(
      String semantics, String setting, String value) {
    assertThat(
            Report.ofProducer(
                "delivery-semantics: %s\nproperties:\n  %s: %s"
                    .formatted(semantics, setting, value)))
        .isEqualTo(
            "kafka.yaml:7:%d producers.p.properties.%s: %s contradicts delivery-semantics %s (line 5);"
                    .formatted(11 + setting.length(), setting, value, semantics)
                + " change one of them");
  }

  @ParameterizedTest
  @CsvSource({
    "at-least-once, acks, ALL",
    "at-least-once, acks, -1",
    "at-least-once, enable.idempotence, false",
    "at-least-once, max.in.flight.requests.per.connection, 5",
    "at-most-once, acks, 1",
    "exactly-once, enable.idempotence, true"
  })
  void otherProducerSettingsMayBeOverridden(String semantics, String setting, String value) {
    ProducerDefinition producer =
        Objects.requireNonNull(
            CHECKING
                .parse(
                    "k",
                    """
                    kafka:
                      common: { bootstrap-servers: a:1 }
                      producers: { p: { delivery-semantics: %s, properties: { %s: %s } } }
                    """
                        .replace("a:1", "\"a:1\"")
                        .formatted(semantics, setting, value))
                .producers()
                .get("p"));
    assertThat(producer.properties()).containsEntry(setting, value);
  }

  @Test
  void ourOwnKeysContradictToo() {
    assertThat(Report.ofProducer("delivery-semantics: exactly-once\nenable-idempotence: false"))
        .isEqualTo(
            "kafka.yaml:6:27 producers.p.enable-idempotence: false contradicts delivery-semantics"
                + " exactly-once (line 5); change one of them");
    assertThat(Report.ofProducer("properties: { acks: 1 }"))
        .isEqualTo(
            "kafka.yaml:5:27 producers.p.properties.acks: 1 contradicts delivery-semantics"
                + " at-least-once (the default); change one of them");
    assertThat(
            Report.ofProducer("enable-idempotence: true\nproperties: { enable.idempotence: true }"))
        .isEqualTo(
            "kafka.yaml:6:41 producers.p.properties.enable.idempotence: stands beside"
                + " enable-idempotence true (line 5); keep one of them");
  }

  @Test
  void anExactlyOnceConsumerReadsCommittedRecords() {
    assertThat(
            Report.ofConsumer(
                "delivery-semantics: exactly-once\n"
                    + "properties: { isolation.level: read_uncommitted }"))
        .isEqualTo(
            "kafka.yaml:8:38 consumers.c.properties.isolation.level: read_uncommitted contradicts"
                + " delivery-semantics exactly-once (line 7); change one of them");
  }

  @Test
  void namesAreCheckedWhereTheyAreWritten() {
    assertThat(
            Report.of(
                CHECKING,
                "kafka.yaml",
                """
                kafka:
                  common:
                    bootstrap-servers: a:1
                    properties: { fetch.min.bytes: 1, sasl.jaas.config: x, sasl.jas.config: x }
                  defaults: { producers: { properties: { fetch.min.bytes: 1 } } }
                  consumers: { c: { topics: t, group-id: g, properties: { linger.ms: 1 } } }
                """))
        .isEqualTo(
            """
            kafka.yaml:4:19 common.properties.fetch.min.bytes: is a setting of consumers only; write it under 'defaults.consumers.properties'
            kafka.yaml:4:60 common.properties.sasl.jas.config: is not a setting of Kafka's clients; did you mean 'sasl.jaas.config'?
            kafka.yaml:5:42 defaults.producers.properties.fetch.min.bytes: is not a setting of Kafka's producers
            kafka.yaml:6:59 consumers.c.properties.linger.ms: is not a setting of Kafka's consumers\
            """);
  }

  @Test
  void settingsAreTextAndNeverShown() {
    assertThat(Report.ofProducer("properties: { a: [hunter2], sasl: { password: hunter2 }, n: }"))
        .isEqualTo(
            """
            kafka.yaml:5:21 producers.p.properties.a: expected text, found a list; separate the items by commas
            kafka.yaml:5:35 producers.p.properties.sasl: expected text, found an object; write names in full, with their dots
            kafka.yaml:5:64 producers.p.properties.n: has no value; write a value or remove the line\
            """);
    assertThat(Report.ofProducer("properties: password=hunter2"))
        .isEqualTo(
            "kafka.yaml:5:19 producers.p.properties: expected an object, found text; write each of Kafka's names with its value");
  }
}
