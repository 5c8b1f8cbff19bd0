package dev.millrace.internal.command;

import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One thing asked of the poll thread from outside.
 *
 * @param what in words, for the log and for the error when it is not carried out
 * @param work done by the poll thread
 * @param reply completed by the poll thread, so not to be handed to users as it is: what they hang
 *     on it would run there
 */
record ConsumerCommand<R extends @Nullable Object>(
    String what, Supplier<R> work, CompletableFuture<R> reply) {

  /** Poll thread. Passed over when nobody waits for the reply any more. */
  void run() {
    if (reply.isDone()) {
      return;
    }
    try {
      reply.complete(work.get());
    } catch (Throwable failure) { // The asker's to know; the consumer goes on.
      reply.completeExceptionally(failure);
    }
  }
}
