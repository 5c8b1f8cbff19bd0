package dev.millrace.internal.producer;

import dev.millrace.config.ProducerDefinition;
import dev.millrace.config.TransactionDefinition;
import dev.millrace.producer.TransactionCallback;
import dev.millrace.producer.TransactionalProducer;
import org.apache.kafka.common.serialization.Serializer;
import org.jspecify.annotations.Nullable;

/** A handle on pooled transactional slots: one transaction is one lease. Any thread. */
public final class PooledTransactionalProducer<V> implements TransactionalProducer<V> {
  /** The name of the producer in whose transaction a thread is. */
  private static final ThreadLocal<@Nullable String> IN_TRANSACTION = new ThreadLocal<>();

  private final String name;
  private final String owner;
  private final TransactionDefinition limits;
  private final TransactionalSlots slots;
  private final RecordEncoder<V> encoder;
  private volatile boolean closed;

  public PooledTransactionalProducer(
      ProducerDefinition definition, TransactionalSlots slots, Serializer<V> serializer) {
    this.name = definition.name();
    this.owner = "Producer '" + name + "'";
    this.limits = definition.transaction();
    this.slots = slots;
    this.encoder = new RecordEncoder<>(definition, serializer);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public <R extends @Nullable Object, E extends Exception> R inTransaction(
      TransactionCallback<V, R, E> work) throws E {
    requireOpen();
    String outer = IN_TRANSACTION.get();
    if (outer != null) {
      throw new IllegalStateException(
          "%s: this thread is in a transaction of producer '%s' already, and one would commit without the other; send into that one, or begin this one after it."
              .formatted(owner, outer));
    }
    IN_TRANSACTION.set(name);
    try {
      return leased(work);
    } finally {
      IN_TRANSACTION.remove();
    }
  }

  private <R extends @Nullable Object, E extends Exception> R leased(
      TransactionCallback<V, R, E> work) throws E {
    TransactionalSlot slot = slots.lease(limits.acquireTimeout());
    try {
      return run(slot.begin(), work);
    } finally {
      slots.giveBack(slot);
    }
  }

  private <R extends @Nullable Object, E extends Exception> R run(
      OpenTransaction transaction, TransactionCallback<V, R, E> work) throws E {
    TransactionHandle<V> handle =
        new TransactionHandle<>(owner, transaction, encoder, limits.timeout());
    R result;
    try {
      result = work.execute(handle);
      handle.requireTime();
    } catch (Throwable thrown) {
      RuntimeException unconfirmed = transaction.abort();
      if (unconfirmed != null) {
        thrown.addSuppressed(unconfirmed);
      }
      throw thrown;
    }
    transaction.commit(limits.timeout().minus(transaction.lasted()));
    return result;
  }

  @Override
  public void close() {
    closed = true;
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("This handle on producer '" + name + "' is closed.");
    }
    slots.requireOpen();
  }
}
