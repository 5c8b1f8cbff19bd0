package dev.millrace.internal.idempotency;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.config.IdempotencyDefinition;
import dev.millrace.config.MessageIdKey;
import dev.millrace.config.MissingId;
import dev.millrace.consumer.IdempotencyKey;
import dev.millrace.errors.MissingMessageIdException;
import dev.millrace.idempotency.Claim;
import dev.millrace.idempotency.InMemoryIdempotencyStore;
import java.time.Duration;
import java.util.Objects;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which message a record is. */
class IdempotencyTest {

  private static Idempotency idempotency(
      MessageIdKey key, MissingId missing, String group, @Nullable IdempotencyKey hook) {
    return new Idempotency(
        InMemoryIdempotencyStore.ofAtMost(1),
        new IdempotencyDefinition(
            key, "message-id", missing, Duration.ofMinutes(1), Duration.ofHours(1)),
        group,
        hook);
  }

  private static Idempotency byHeader() {
    return idempotency(MessageIdKey.HEADER, MissingId.FAIL, "g", null);
  }

  private static ConsumerRecord<byte[], byte[]> record(
      String topic, byte @Nullable [] key, byte @Nullable [] id) {
    ConsumerRecord<byte[], byte[]> record = new ConsumerRecord<>(topic, 1, 7, key, null);
    if (id != null) {
      record.headers().add("message-id", id);
    }
    return record;
  }

  private static String id(Idempotency idempotency, ConsumerRecord<byte[], byte[]> record) {
    Claim claim = Objects.requireNonNull(idempotency.claim(record));
    assertThat(claim.holder()).hasSizeLessThanOrEqualTo(64);
    assertThat(claim.id()).hasSizeBetween(1, 255);
    return claim.id();
  }

  @Test
  void theLastHeaderOfTheNameHoldsTheId() {
    ConsumerRecord<byte[], byte[]> record = record("orders", null, bytes("m-1"));
    record.headers().add("message-id", bytes("m-2"));

    assertThat(id(byHeader(), record)).isEqualTo("m-2");
  }

  @Test
  void aKeyIsAnIdWithinItsTopic() {
    Idempotency byKey = idempotency(MessageIdKey.RECORD_KEY, MissingId.FAIL, "g", null);

    assertThat(id(byKey, record("orders", bytes("k"), null))).isEqualTo("orders/k");
    assertThat(id(byKey, record("refunds", bytes("k"), null))).isEqualTo("refunds/k");
  }

  @Test
  void aHooksIdCountsForAllTopics() {
    Idempotency byHook =
        idempotency(MessageIdKey.HEADER, MissingId.FAIL, "g", record -> "o-" + record.offset());

    assertThat(id(byHook, record("orders", null, bytes("other")))).isEqualTo("o-7");
    assertThat(id(byHook, record("refunds", null, null))).isEqualTo("o-7");
  }

  @ParameterizedTest
  @ValueSource(strings = {"two words", "a\u0000b", "end ", "line\n", "\ud83d\ude00"})
  void whatNoDatabaseHoldsSafelyIsKnownByItsDigest(String hostile) {
    String id = id(byHeader(), record("t", null, bytes(hostile)));

    assertThat(id).matches("sha256:[0-9a-f]{64}");
    assertThat(id(byHeader(), record("t", null, bytes(hostile)))).isEqualTo(id);
    assertThat(id(byHeader(), record("t", null, bytes(hostile + "x")))).isNotEqualTo(id);
  }

  @Test
  void bytesThatAreNoTextAndLongTextsAreKnownByTheirDigest() {
    byte[] noText = {(byte) 0xff, 0, 1};

    assertThat(id(byHeader(), record("t", null, noText))).startsWith("sha256:");
    assertThat(id(byHeader(), record("t", null, bytes("x".repeat(255))))).hasSize(255);
    assertThat(id(byHeader(), record("t", null, bytes("x".repeat(256))))).startsWith("sha256:");
    assertThat(
            Objects.requireNonNull(
                    idempotency(MessageIdKey.HEADER, MissingId.FAIL, "g".repeat(1000), null)
                        .claim(record("t", null, bytes("m"))))
                .scope())
        .startsWith("sha256:");
  }

  @Test
  void whatHasNoIdIsNamedWithWhatToDo() {
    assertThatThrownBy(() -> byHeader().claim(record("orders", bytes("k"), null)))
        .isInstanceOf(MissingMessageIdException.class)
        .hasMessage(
            "The record orders-1@7 has no message id: there is nothing in a header 'message-id'; see"
                + " to it that its producer writes one, or write 'idempotency.missing-id: handle'.");
    assertThatThrownBy(() -> byHeader().claim(record("orders", null, new byte[0])))
        .isInstanceOf(MissingMessageIdException.class);
    Idempotency byKey = idempotency(MessageIdKey.RECORD_KEY, MissingId.FAIL, "g", null);
    assertThatThrownBy(() -> byKey.claim(record("orders", null, bytes("m"))))
        .hasMessageContaining("it has no key");
    Idempotency byHook = idempotency(MessageIdKey.HEADER, MissingId.FAIL, "g", record -> "");
    assertThatThrownBy(() -> byHook.claim(record("orders", null, bytes("m"))))
        .hasMessageContaining("the IdempotencyKey says none");
  }

  @Test
  void whatHasNoIdMayBeHandledEachTime() {
    Idempotency lenient = idempotency(MessageIdKey.HEADER, MissingId.HANDLE, "g", null);

    assertThat(lenient.claim(record("orders", null, null))).isNull();
  }

  @Test
  void noTwoDeliveriesAreTheSameHolder() {
    Idempotency one = byHeader();
    ConsumerRecord<byte[], byte[]> record = record("orders", null, bytes("m"));

    assertThat(one.claim(record)).isNotEqualTo(one.claim(record));
    assertThat(Objects.requireNonNull(one.claim(record)).holder())
        .isNotEqualTo(Objects.requireNonNull(byHeader().claim(record)).holder());
  }

  private static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }
}
