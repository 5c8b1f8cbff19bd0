package dev.millrace.internal.idempotency;

import dev.millrace.config.IdempotencyDefinition;
import dev.millrace.config.MessageIdKey;
import dev.millrace.config.MissingId;
import dev.millrace.consumer.IdempotencyKey;
import dev.millrace.errors.MissingMessageIdException;
import dev.millrace.idempotency.Claim;
import dev.millrace.idempotency.IdempotencyStore;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;

/** A consumer's store, and the claims that its records make there. Any thread. */
public final class Idempotency {
  private final IdempotencyStore store;
  private final IdempotencyDefinition definition;
  private final String scope;
  private final @Nullable IdempotencyKey hook;

  /** Two deliveries never have the same holder: not of two processes, nor of one record. */
  private final String process = UUID.randomUUID().toString();

  private final AtomicLong claims = new AtomicLong();

  /**
   * @param group within which an id is one message's
   * @param hook says the ids in the place of the definition's key, if it is not null
   */
  public Idempotency(
      IdempotencyStore store,
      IdempotencyDefinition definition,
      String group,
      @Nullable IdempotencyKey hook) {
    this.store = store;
    this.definition = definition;
    this.scope = IdText.of(group);
    this.hook = hook;
  }

  public IdempotencyStore store() {
    return store;
  }

  /**
   * Makes a new claim to the record's message, for one delivery of the record.
   *
   * @return null when it has no id and is to be handled all the same
   * @throws MissingMessageIdException when it has no id
   */
  public @Nullable Claim claim(ConsumerRecord<byte[], byte[]> record) {
    String id = id(record);
    if (id != null) {
      return new Claim(
          scope,
          id,
          process + "-" + claims.incrementAndGet(),
          definition.lease(),
          definition.retention());
    }
    if (definition.missingId() == MissingId.HANDLE) {
      return null;
    }
    throw new MissingMessageIdException(
        "The record %s-%d@%d has no message id: %s; see to it that its producer writes one, or write 'idempotency.missing-id: handle'."
            .formatted(record.topic(), record.partition(), record.offset(), missing()),
        null);
  }

  private String missing() {
    if (hook != null) {
      return "the IdempotencyKey says none";
    }
    return definition.key() == MessageIdKey.HEADER
        ? "there is nothing in a header '" + definition.header() + "'"
        : "it has no key";
  }

  private @Nullable String id(ConsumerRecord<byte[], byte[]> record) {
    if (hook != null) {
      String id = hook.of(record);
      return id == null || id.isEmpty() ? null : IdText.of(id);
    }
    byte[] bytes = definition.key() == MessageIdKey.HEADER ? header(record) : record.key();
    if (bytes == null || bytes.length == 0) {
      return null;
    }
    return definition.key() == MessageIdKey.HEADER
        ? IdText.of(bytes)
        // A key names something within its topic only.
        : IdText.of(concatenated((record.topic() + "/").getBytes(StandardCharsets.UTF_8), bytes));
  }

  private byte @Nullable [] header(ConsumerRecord<byte[], byte[]> record) {
    Header header = record.headers().lastHeader(definition.header());
    return header == null ? null : header.value();
  }

  private static byte[] concatenated(byte[] first, byte[] second) {
    byte[] both = new byte[first.length + second.length];
    System.arraycopy(first, 0, both, 0, first.length);
    System.arraycopy(second, 0, both, first.length, second.length);
    return both;
  }
}
