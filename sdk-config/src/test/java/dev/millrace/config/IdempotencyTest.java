package dev.millrace.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Messages that are handled once, by config. */
class IdempotencyTest {

  private static ConsumerDefinition load(String keys) {
    String yaml =
        """
        kafka:
          common: { bootstrap-servers: 'localhost:9092' }
          consumers: { c: { topics: [t], group-id: g, %s } }
        """;
    return Objects.requireNonNull(
        ConfigLoader.create().parse("kafka.yaml", yaml.formatted(keys)).consumers().get("c"));
  }

  @Test
  void isThereWhereItsKeyStands() {
    assertThat(load("concurrency: 1").idempotency()).isNull();
    assertThat(load("idempotency: {}").idempotency())
        .isEqualTo(
            new IdempotencyDefinition(
                MessageIdKey.HEADER,
                "message-id",
                MissingId.FAIL,
                Duration.ofMinutes(1),
                Duration.ofDays(7)));
    assertThat(load("idempotency: { enabled: false, lease: 5s }").idempotency()).isNull();
  }

  @Test
  void eachKeyIsRead() {
    assertThat(
            load("idempotency: { key: header, header: x-id, missing-id: handle, lease: 5m, retention: 1h }")
                .idempotency())
        .isEqualTo(
            new IdempotencyDefinition(
                MessageIdKey.HEADER,
                "x-id",
                MissingId.HANDLE,
                Duration.ofMinutes(5),
                Duration.ofHours(1)));
    assertThat(load("idempotency: { key: record-key }").idempotency())
        .extracting(its -> its.key())
        .isEqualTo(MessageIdKey.RECORD_KEY);
  }

  @ParameterizedTest
  @ValueSource(strings = {"at-most-once", "exactly-once"})
  void isRefusedBesidesPromisesThatHaveNoUseForIt(String semantics) {
    assertThatThrownBy(() -> load("idempotency: {}, delivery-semantics: " + semantics))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining(
            "consumers.c.idempotency: contradicts delivery-semantics " + semantics);
    assertThat(
            load("idempotency: { enabled: false }, delivery-semantics: " + semantics).idempotency())
        .isNull();
  }

  @Test
  void aHeaderBesideTheRecordKeyIsRefused() {
    assertThatThrownBy(() -> load("idempotency: { key: record-key, header: x-id }"))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("idempotency.header: is of no use under key record-key");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "key: id",
        "header: ''",
        "missing-id: skip",
        "lease: 999ms",
        "lease: 25h",
        "retention: 59s",
        "store: jdbc"
      })
  void mistakesAreReported(String mistake) {
    assertThatThrownBy(() -> load("idempotency: { " + mistake + " }"))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining(
            "consumers.c.idempotency." + mistake.substring(0, mistake.indexOf(':')));
  }
}
