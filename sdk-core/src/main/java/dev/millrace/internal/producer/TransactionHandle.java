package dev.millrace.internal.producer;

import dev.millrace.errors.TransactionAbortedException;
import dev.millrace.producer.Transaction;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.jspecify.annotations.Nullable;

/** What the work of a transaction sees of it. Any thread. */
final class TransactionHandle<V> implements Transaction<V> {
  private final String owner;
  private final OpenTransaction transaction;
  private final RecordEncoder<V> encoder;
  private final Duration timeout;

  TransactionHandle(
      String owner, OpenTransaction transaction, RecordEncoder<V> encoder, Duration timeout) {
    this.owner = owner;
    this.transaction = transaction;
    this.encoder = encoder;
    this.timeout = timeout;
  }

  @Override
  public CompletableFuture<RecordMetadata> send(@Nullable String key, @Nullable V value) {
    return send(encoder.topic(), key, value);
  }

  @Override
  public CompletableFuture<RecordMetadata> send(
      String topic, @Nullable String key, @Nullable V value) {
    return send(new ProducerRecord<>(topic, key, value));
  }

  @Override
  public CompletableFuture<RecordMetadata> send(ProducerRecord<String, V> message) {
    requireTime();
    return transaction.send(encoder.encode(message));
  }

  /** Returns how much time is left, or throws. */
  Duration requireTime() {
    Duration left = timeout.minus(transaction.lasted());
    if (left.isNegative() || left.isZero()) {
      throw new TransactionAbortedException(
          "%s: its transaction is aborted, because its work has lasted %d ms, and 'transaction.timeout' is %d ms. Nothing of it is visible to readers of committed records; do less in one transaction, or raise the time-out."
              .formatted(owner, transaction.lasted().toMillis(), timeout.toMillis()),
          null);
    }
    return left;
  }
}
