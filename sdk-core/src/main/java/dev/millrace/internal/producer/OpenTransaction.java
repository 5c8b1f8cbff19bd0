package dev.millrace.internal.producer;

import dev.millrace.errors.TransactionAbortedException;
import dev.millrace.errors.TransactionUnknownException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TransactionAbortableException;
import org.jspecify.annotations.Nullable;

/**
 * One transaction, from its begin to its end. Any thread may send; the slot's leaseholder alone
 * adds offsets and ends it, once. After the end it refuses everything, also when its slot has long
 * begun another one.
 */
public final class OpenTransaction {
  private final TransactionalSlot slot;
  private final Producer<byte[], byte[]> producer;
  private final long begun = System.nanoTime();
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

  /**
   * A send that the client takes when the transaction has just ended would get into its next one;
   * so the end waits for the sends that are being handed over, and those after it are refused.
   */
  private final ReentrantReadWriteLock sending = new ReentrantReadWriteLock();

  private boolean over;

  /**
   * The client goes on sending offsets whose answer nobody waits for any more, also after an abort:
   * it is not used again.
   */
  private volatile boolean offsetsInDoubt;

  OpenTransaction(TransactionalSlot slot, Producer<byte[], byte[]> producer) {
    this.slot = slot;
    this.producer = producer;
  }

  /** Returns for how long it has been open. */
  public Duration lasted() {
    return Duration.ofNanos(System.nanoTime() - begun);
  }

  /**
   * Sends a record. One that fails, whoever looks at its future, keeps the transaction from being
   * committed.
   *
   * @return completes on the client's I/O thread when the brokers have the record; that it is
   *     visible, only the commit says
   * @throws IllegalStateException when the transaction has ended
   */
  public CompletableFuture<RecordMetadata> send(ProducerRecord<byte[], byte[]> message) {
    CompletableFuture<RecordMetadata> sent = new CompletableFuture<>();
    sending.readLock().lock();
    try {
      requireOpen();
      handOver(message, sent);
    } finally {
      sending.readLock().unlock();
    }
    return sent;
  }

  private void handOver(
      ProducerRecord<byte[], byte[]> message, CompletableFuture<RecordMetadata> sent) {
    try {
      var unused =
          producer.send(
              message,
              (metadata, thrown) -> {
                if (thrown == null) {
                  sent.complete(metadata);
                } else {
                  fail(thrown, sent);
                }
              });
    } catch (RuntimeException e) {
      fail(e, sent);
    }
  }

  private void fail(Exception thrown, CompletableFuture<RecordMetadata> sent) {
    failure.compareAndSet(null, thrown);
    sent.completeExceptionally(thrown);
  }

  /**
   * Adds consumed offsets, which are committed with the transaction or not at all. Waits for up to
   * {@code max.block.ms}. When it throws, the transaction can only be aborted.
   *
   * @param group as read after the poll that brought the records
   * @throws KafkaException when the group's coordinator refuses, above all because the member is
   *     not in the group's present generation any more ({@code CommitFailedException})
   */
  public void sendOffsets(
      Map<TopicPartition, OffsetAndMetadata> offsets, ConsumerGroupMetadata group) {
    sending.readLock().lock();
    try {
      requireOpen();
      producer.sendOffsetsToTransaction(offsets, group);
    } catch (KafkaException e) {
      failure.compareAndSet(null, e);
      offsetsInDoubt = !(e instanceof CommitFailedException);
      throw e;
    } finally {
      sending.readLock().unlock();
    }
  }

  /**
   * Commits. Waits until everything sent is acknowledged and the coordinator has confirmed; a try
   * ({@code max.block.ms}) that begins within the bound may end after it.
   *
   * @param bound how long to try
   * @throws TransactionAbortedException when nothing of it is or will be committed
   * @throws TransactionUnknownException when the commit was not confirmed, and may have happened
   */
  public void commit(Duration bound) {
    end();
    long deadline = System.nanoTime() + bound.toNanos();
    boolean confirmed = false;
    while (!confirmed) {
      Throwable failed = failure.get();
      if (failed != null) {
        throw aborted("a send failed", failed);
      }
      try {
        producer.commitTransaction();
        confirmed = true;
      } catch (TransactionAbortableException e) {
        // The coordinator itself has refused: it commits no part of it.
        throw aborted("the brokers refused to commit it", e);
      } catch (TimeoutException e) {
        // The client asks it to be called again, and so do we while there is time.
        if (failure.get() == null && System.nanoTime() - deadline >= 0) {
          throw unconfirmed(e);
        }
      } catch (RuntimeException e) {
        if (failure.get() == null) {
          throw unconfirmed(e);
        }
      }
    }
    slot.ended();
  }

  /**
   * Aborts. Since nobody has asked for a commit, nothing of it will ever be committed, whatever
   * this returns; but readers wait at an abort that is not confirmed, until the slot's next client
   * or the transaction time-out has ended it.
   *
   * @return why the abort is not confirmed, or null
   */
  public @Nullable RuntimeException abort() {
    end();
    return endByAbort();
  }

  private @Nullable RuntimeException endByAbort() {
    try {
      if (offsetsInDoubt) {
        throw new KafkaException("It is not known whether the brokers have its offsets.");
      }
      producer.abortTransaction();
      slot.ended();
      return null;
    } catch (RuntimeException e) {
      slot.endedUnconfirmed(e);
      return e;
    }
  }

  private TransactionAbortedException aborted(String what, Throwable cause) {
    TransactionAbortedException aborted =
        new TransactionAbortedException(
            "%s: its transaction was aborted, because %s (%s).%s Nothing of it is visible to readers of committed records."
                .formatted(slot.owner(), what, Fencing.reason(cause), advice(cause)),
            cause);
    RuntimeException unconfirmed = endByAbort();
    if (unconfirmed != null) {
      aborted.addSuppressed(unconfirmed);
    }
    return aborted;
  }

  /**
   * The client sends the commit only when everything sent is acknowledged. So while it has given up
   * a record, here at the latest by being closed, the commit was never asked for.
   */
  private RuntimeException unconfirmed(RuntimeException cause) {
    slot.endedUnconfirmed(cause);
    Throwable failed = failure.get();
    if (failed != null) {
      return new TransactionAbortedException(
          "%s: its transaction was aborted, because not everything sent was acknowledged in time (%s).%s Nothing of it is visible to readers of committed records."
              .formatted(slot.owner(), Fencing.reason(cause), advice(cause)),
          cause);
    }
    return new TransactionUnknownException(
        "%s: the commit of its transaction was not confirmed within %d ms of its begin (%s).%s It is committed as a whole or not at all; look at the committed records or offsets before it is run again."
            .formatted(slot.owner(), lasted().toMillis(), Fencing.reason(cause), advice(cause)),
        cause);
  }

  private String advice(Throwable cause) {
    return Fencing.advice(cause, slot.transactionalId(), lasted(), slot.timeout());
  }

  private void end() {
    sending.writeLock().lock();
    try {
      requireOpen();
      over = true;
    } finally {
      sending.writeLock().unlock();
    }
  }

  private void requireOpen() {
    if (over) {
      throw new IllegalStateException(slot.owner() + ": this transaction has ended.");
    }
  }
}
