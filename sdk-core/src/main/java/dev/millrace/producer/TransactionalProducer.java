package dev.millrace.producer;

import org.jspecify.annotations.Nullable;

/**
 * A light handle on a named producer of {@code delivery-semantics: exactly-once}. What is sent in
 * one transaction becomes visible to readers of committed records ({@code
 * isolation.level=read_committed}) as a whole or not at all. Any thread; transactions of several
 * threads run at the same time, up to {@code transaction.slots}.
 *
 * <pre>{@code
 * String id = payments.inTransaction(tx -> {
 *   tx.send("debits", "account-1", debit);
 *   tx.send("credits", "account-2", credit);
 *   return debit.id();
 * });
 * }</pre>
 *
 * @param <V> the value's type
 */
public interface TransactionalProducer<V> extends AutoCloseable {

  /** Returns its name in the configuration. */
  String name();

  /**
   * Runs work in a transaction of its own, on the caller's thread: begins it, commits it when the
   * work returns, aborts it when the work throws.
   *
   * <p>It may take {@code transaction.acquire-timeout}, for a slot, and {@code
   * transaction.timeout}, and where the brokers do not answer {@code max.block.ms} more for its
   * begin and its end. Work is not interrupted; what outlives {@code transaction.timeout} is
   * aborted when it next sends or returns, and by the brokers in any case.
   *
   * @return what the work returned; all that it sent is committed
   * @throws E what the work threw, with the transaction aborted; an abort that the brokers have not
   *     confirmed is among its suppressed exceptions, and will not be committed either
   * @throws dev.millrace.errors.TransactionAbortedException when the transaction could not begin, a
   *     send failed, it lasted too long or was fenced: nothing of it is visible
   * @throws dev.millrace.errors.TransactionUnknownException when the commit was not confirmed: it
   *     is visible as a whole or not at all
   * @throws dev.millrace.errors.TransactionSlotsBusyException when no slot came free in time
   * @throws IllegalStateException when this handle or the factory is closed, or the thread is in a
   *     transaction already: one would commit without the other
   */
  <R extends @Nullable Object, E extends Exception> R inTransaction(
      TransactionCallback<V, R, E> work) throws E;

  /**
   * Gives the handle back. The slots stay warm until the factory closes. Closing again is harmless.
   */
  @Override
  void close();
}
