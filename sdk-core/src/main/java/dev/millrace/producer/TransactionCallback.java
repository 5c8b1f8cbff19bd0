package dev.millrace.producer;

import org.jspecify.annotations.Nullable;

/**
 * The work of one transaction.
 *
 * @param <V> the values' type
 * @param <R> the result's type
 * @param <E> what it may throw; {@code RuntimeException} when nothing is declared
 */
@FunctionalInterface
public interface TransactionCallback<V, R extends @Nullable Object, E extends Exception> {

  /**
   * Does the work, on the thread that asked for the transaction. What it throws aborts it.
   *
   * @param transaction to send into; not to be used after the return
   * @return the result, which the caller is given after the commit
   */
  R execute(Transaction<V> transaction) throws E;
}
