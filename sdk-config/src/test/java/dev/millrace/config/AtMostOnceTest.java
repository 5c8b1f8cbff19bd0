package dev.millrace.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Objects;
import org.junit.jupiter.api.Test;

/** What {@code delivery-semantics: at-most-once} means for the other keys of a consumer. */
class AtMostOnceTest {

  @Test
  void thereIsOneAttemptAndAGroupWithoutAnOffsetStartsAtTheEnd() {
    ConsumerDefinition consumer = consumer("delivery-semantics: at-most-once");

    assertThat(consumer.retry().maxAttempts()).isEqualTo(1);
    assertThat(consumer.onMissingOffset().start()).isEqualTo(MissingOffset.Start.LATEST);
    assertThat(consumer("").retry().maxAttempts()).isEqualTo(4);
    assertThat(consumer("").onMissingOffset().start()).isEqualTo(MissingOffset.Start.EARLIEST);
  }

  @Test
  void theStartMayBeChosen() {
    assertThat(
            consumer("delivery-semantics: at-most-once\non-missing-offset: earliest")
                .onMissingOffset()
                .start())
        .isEqualTo(MissingOffset.Start.EARLIEST);
  }

  @Test
  void aSecondAttemptIsRefusedNamingBothPlaces() {
    assertThat(
            Report.ofConsumer(
                "delivery-semantics: at-most-once\nretry:\n  max-attempts: 3\n  backoff: { initial: 1s }"))
        .isEqualTo(
            "kafka.yaml:9:23 consumers.c.retry.max-attempts: 3 contradicts delivery-semantics at-most-once (line 7), since another attempt would handle a record twice; write 1 or remove it, or write 'delivery-semantics: at-least-once'");
    assertThat(
            consumer("delivery-semantics: at-most-once\nretry: { max-attempts: 1 }")
                .retry()
                .maxAttempts())
        .isEqualTo(1);
  }

  @Test
  void attemptsOfTheDefaultsAreRefusedWhereTheyStand() {
    assertThat(
            Report.ofYaml(
                """
                kafka:
                  common: { bootstrap-servers: 'a:1' }
                  defaults: { consumers: { retry: { max-attempts: 2 } } }
                  consumers:
                    c: { topics: [t], group-id: g, delivery-semantics: at-most-once }
                """))
        .startsWith("kafka.yaml:3:51 ")
        .contains("2 contradicts delivery-semantics at-most-once (line 5)");
  }

  private static ConsumerDefinition consumer(String lines) {
    return Objects.requireNonNull(
        ConfigLoader.create().parse("k", Report.consumer(lines)).consumers().get("c"));
  }
}
