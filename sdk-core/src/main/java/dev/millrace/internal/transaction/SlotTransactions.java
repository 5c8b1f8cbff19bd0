package dev.millrace.internal.transaction;

import dev.millrace.internal.producer.OpenTransaction;
import dev.millrace.internal.producer.TransactionalSlot;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** The transactions of a transactional slot, which a slice has to itself. */
public final class SlotTransactions implements Transactions {
  private final TransactionalSlot slot;
  private final Duration timeout;
  private final Set<String> knownTopics = ConcurrentHashMap.newKeySet();
  private volatile @Nullable OpenTransaction open;

  /**
   * @param timeout the slot's {@code transaction.timeout.ms}
   */
  public SlotTransactions(TransactionalSlot slot, Duration timeout) {
    this.slot = slot;
    this.timeout = timeout;
  }

  @Override
  public void begin() {
    open = slot.begin();
  }

  @Override
  public void awaitTopic(String topic) {
    if (!knownTopics.contains(topic)) {
      slot.awaitTopic(topic);
      knownTopics.add(topic);
    }
  }

  @Override
  public void send(ProducerRecord<byte[], byte[]> output, Consumer<Throwable> onFailure) {
    var unused =
        current()
            .send(output)
            .whenComplete(
                (metadata, failure) -> {
                  if (failure != null) {
                    knownTopics.clear(); // It may be gone: the next handler is to find out.
                    onFailure.accept(failure);
                  }
                });
  }

  @Override
  public void commit(Map<TopicPartition, OffsetAndMetadata> offsets, ConsumerGroupMetadata group) {
    OpenTransaction ours = current();
    if (!offsets.isEmpty()) {
      ours.sendOffsets(offsets, group);
    }
    open = null; // From here on it ends by itself, however the commit does.
    ours.commit(timeout);
  }

  @Override
  public void abort() {
    OpenTransaction ours = open;
    open = null;
    if (ours != null) {
      var unused = ours.abort(); // One that is not confirmed costs the slot its client.
    }
  }

  @Override
  public void close(Duration bound) {
    // With a transaction that has begun and holds nothing, the client would take all of the bound.
    slot.close(open == null ? bound : Duration.ZERO);
  }

  private OpenTransaction current() {
    return Objects.requireNonNull(open, "no transaction is open");
  }
}
