package dev.millrace.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code retry.topics}: what they are, and what they don't go with. */
class RetryTopicsTest {

  @Test
  void thereAreNoneUnlessTheyAreWritten() {
    assertThat(consumer("").retry().topics()).isEqualTo(RetryTopicsDefinition.NONE);
    assertThat(consumer("retry: { topics: [] }").retry().topics().levels()).isZero();
  }

  @Test
  void eachHasItsDelay() {
    RetryTopicsDefinition topics =
        consumer(
                "retry: { topics: [1s, 500ms, 1h], topic-names: 'again.{n}.{group-id}.{topic}', create-topics: false }")
            .retry()
            .topics();

    assertThat(topics.delays())
        .isEqualTo(List.of(Duration.ofSeconds(1), Duration.ofMillis(500), Duration.ofHours(1)));
    assertThat(topics.create()).isFalse();
    assertThat(topics.name("orders", "g", 2)).isEqualTo("again.2.g.orders");
    assertThat(consumer("retry: { topics: '1s, 5s' }").retry().topics().levels()).isEqualTo(2);
  }

  @Test
  void aNameIsFilledInOnce() {
    assertThat(RetryTopicsDefinition.NONE.name("{n}", "{topic}", 3))
        .isEqualTo("{n}.{topic}.retry.3");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{topic}.{group-id}",
        "{topic}.retry.{n}",
        "{group-id}.{n}",
        "{topic}.{topic}.{group-id}.{n}",
        "{topic}{n}.{group-id}",
        "{topic}.{group-id}.1{n}",
        "{topic}.{group-id}.{n}0",
        "{topic} {group-id} {n}",
        "{topic}.{group}.{n}.{group-id}"
      })
  void namesThatDoNotTellEachFromAllOthersAreRefused(String names) {
    assertThat(Report.ofConsumer("retry: { topics: [1s], topic-names: '" + names + "' }"))
        .contains(
            "consumers.c.retry.topic-names: expected names of topics made of {topic}, {group-id} and {n}, each once");
  }

  @ParameterizedTest
  @ValueSource(strings = {"0ms", "25h", "soon", "-1s"})
  void aDelayIsFromAMillisecondToADay(String delay) {
    assertThat(Report.ofConsumer("retry: { topics: [1s, " + delay + "] }"))
        .contains("consumers.c.retry.topics[1]: expected a duration");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "delivery-semantics: at-most-once | delivery-semantics at-most-once (line 7), since another attempt would handle a record twice",
        "mode: queue | mode queue (line 7), since the brokers hand out what lies in a topic at once, due or not",
        "mode: broadcast | mode broadcast (line 7), since what one process could not handle would go to all of them"
      })
  void theyAreRefusedWhereTheyMeanNothingNamingBothPlaces(String other, String text) {
    assertThat(Report.ofConsumer(other + "\nretry:\n  topics: [1s]"))
        .isEqualTo(
            "kafka.yaml:9:9 consumers.c.retry.topics: contradicts "
                + text
                + "; remove it, or write 'topics: []' for this one where 'defaults' say it");
  }

  @Test
  void theyAreRefusedBesideFixedPartitions() {
    assertThat(
            Report.ofYaml(
                """
                kafka:
                  common: { bootstrap-servers: 'a:1' }
                  consumers:
                    c:
                      partitions: [orders-0]
                      group-id: g
                      retry: { topics: [1s] }
                """))
        .contains("consumers.c.retry.topics: contradicts partitions")
        .contains("(line 5), since nobody deals out the partitions of a retry topic");
  }

  @Test
  void whatDefaultsSayIsTakenBack() {
    KafkaConfig config =
        ConfigLoader.create()
            .parse(
                "k",
                """
                kafka:
                  common: { bootstrap-servers: 'a:1' }
                  defaults: { consumers: { retry: { topics: [1s] } } }
                  consumers:
                    c: { topics: [t], group-id: g, mode: broadcast, retry: { topics: [] } }
                """);

    assertThat(Objects.requireNonNull(config.consumers().get("c")).retry().topics().levels())
        .isZero();
  }

  @Test
  void aTopicThatTheConsumerReadsIsNoneOfThem() {
    assertThat(
            Report.ofYaml(
                """
                kafka:
                  common: { bootstrap-servers: 'a:1' }
                  consumers:
                    c:
                      topics: [t, t.g.retry.2]
                      group-id: g
                      retry: { topics: [1s, 2s] }
                """))
        .contains("consumers.c.topics: holds a retry topic of t");
    assertThat(Report.ofConsumer("retry: { topics: [1s] }\ndead-letter: { topic: t.g.retry.1 }"))
        .contains("consumers.c.dead-letter.topic: is a retry topic of t");
  }

  @Test
  void aPatternOfTopicsCapturesNothing() {
    String yaml =
        """
        kafka:
          common: { bootstrap-servers: 'a:1' }
          consumers:
            c: { topics-pattern: 'orders(%s.*)', group-id: g, retry: { topics: [1s] } }
        """;
    assertThat(Report.ofYaml(yaml.formatted("")))
        .isEqualTo(
            "kafka.yaml:4:26 consumers.c.topics-pattern: has a group that captures, which can't stand beside retry.topics; write (?:…) in the place of (…)");
    assertThat(ConfigLoader.create().parse("k", yaml.formatted("?:")).consumers()).hasSize(1);
  }

  @Test
  void aGroupThatCanNotBePartOfATopicsNameIsRefused() {
    assertThat(
            Report.ofYaml(
                """
                kafka:
                  common: { bootstrap-servers: 'a:1' }
                  consumers:
                    c: { topics: [t], group-id: 'order service', retry: { topics: [1s] } }
                """))
        .contains("makes a retry topic that can't have its name, {topic}.{group-id}.retry.{n}");
  }

  @Test
  void theOrderOfKeysIsKeptWhereThatIsWritten() {
    assertThat(consumer("retry: { topics: [1s] }").retry().topics().keepKeyOrder()).isFalse();
    assertThat(
            consumer("retry: { topics: [1s], keep-key-order: true }")
                .retry()
                .topics()
                .keepKeyOrder())
        .isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "retry:\n  keep-key-order: true",
        "retry:\n  keepKeyOrder: true\n  topics: []",
        "retry:\n  keep-key-order: true\nordering: partition",
        "retry:\n  keep-key-order: true\nmode: broadcast"
      })
  void theOrderOfKeysIsRefusedWhereThereAreNoRetryTopics(String lines) {
    assertThat(Report.ofConsumer(lines).replace("keepKeyOrder: ", "keep-key-order: "))
        .matches("kafka.yaml:8:2[35] consumers.c.retry.keep-key-order: .*")
        .endsWith(": is of no use without retry topics; write 'topics' beside it, or remove it");
    assertThat(consumer(lines.replace(": true", ": false")).retry().topics().keepKeyOrder())
        .isFalse();
  }

  @Test
  void aMistakeInTheRetryTopicsIsNotTakenForNone() {
    assertThat(Report.ofConsumer("retry: { topics: [soon], keep-key-order: true }"))
        .contains("consumers.c.retry.topics[0]: expected a duration")
        .doesNotContain("keep-key-order");
  }

  /** A default is for those that have use for it. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{ keep-key-order: true } | {}",
        "{ topics: [1s], keep-key-order: true } | { topics: [] }",
        "{ topics: [1s], keep-key-order: true } | { max-attempts: 2, topics: [] }"
      })
  void theOrderOfKeysThatDefaultsSayIsLeftAloneWithoutRetryTopics(String all, String own) {
    String yaml =
        """
        kafka:
          common: { bootstrap-servers: 'a:1' }
          %s: { consumers: { retry: %s } }
          consumers: { c: { topics: [t], group-id: g, retry: %s } }
        """;

    for (String spelling : List.of("defaults", "Defaults")) {
      KafkaConfig config = ConfigLoader.create().parse("k", yaml.formatted(spelling, all, own));

      assertThat(Objects.requireNonNull(config.consumers().get("c")).retry().topics().levels())
          .isZero();
    }
    assertThat(
            Report.ofYaml(yaml.formatted("defaults", all, "{ topics: [], keep-key-order: true }")))
        .contains("consumers.c.retry.keep-key-order: is of no use without retry topics");
  }

  /** Its name is no sign that it is one of the defaults. */
  @Test
  void aConsumerMayBeCalledDefaults() {
    assertThat(
            Report.ofYaml(
                """
                kafka:
                  common: { bootstrap-servers: 'a:1' }
                  consumers:
                    defaults: { topics: [t], group-id: g, retry: { keep-key-order: true } }
                """))
        .contains("consumers.defaults.retry.keep-key-order: is of no use without retry topics");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "ordering: partition | ordering partition (line 7), since it is the order of keys that would be kept",
        "ordering: unordered | ordering unordered (line 7), since it is the order of keys that would be kept",
        "delivery-semantics: exactly-once | delivery-semantics exactly-once (line 7), since where a record stands in a retry topic is not known before its transaction is committed"
      })
  void theOrderOfKeysIsRefusedWhereItCanNotBeKept(String other, String text) {
    assertThat(Report.ofConsumer(other + "\nretry:\n  topics: [1s]\n  keep-key-order: true"))
        .isEqualTo(
            "kafka.yaml:10:25 consumers.c.retry.keep-key-order: contradicts "
                + text
                + "; remove one of them");
  }

  private static ConsumerDefinition consumer(String lines) {
    return Objects.requireNonNull(
        ConfigLoader.create().parse("k", Report.consumer(lines)).consumers().get("c"));
  }
}
