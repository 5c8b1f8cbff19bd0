package dev.millrace.internal.delivery;

import dev.millrace.consumer.AsyncRecordHandler;
import dev.millrace.consumer.BatchHandler;
import dev.millrace.consumer.RecordContext;
import dev.millrace.consumer.RecordHandler;
import dev.millrace.internal.channel.Delivery;
import dev.millrace.internal.start.Pass;
import dev.millrace.internal.time.EngineClock;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * The ways in which users handle records, all seen as one.
 *
 * @param <V> the value's type
 */
public sealed interface Handling<V> {

  /** In the worker, whose thread is the permit. */
  static <V> Handling<V> inWorker(RecordHandler<? super V> handler) {
    return new InWorker<>(handler);
  }

  /** Without a thread, until a stage completes. */
  static <V> Handling<V> asynchronous(AsyncRecordHandler<? super V> handler) {
    return new Asynchronous<>(handler);
  }

  /** In a thread of the user's. */
  static <V> Handling<V> onExecutor(RecordHandler<? super V> handler, Executor executor) {
    return new OnExecutor<>(handler, executor, ConcurrentHashMap.newKeySet());
  }

  /** Several records at once, in the worker. */
  static <V> Handling<V> inBatches(BatchHandler<? super V> handler) {
    return new InBatches<>(handler);
  }

  /** Whether a handler holds its worker until it has ended. */
  default boolean holdsWorker() {
    return false;
  }

  /** Returns whether the calling thread is one of the user's that is in a handler. */
  default boolean isHandlerThread() {
    return false;
  }

  /** A record for itself. */
  sealed interface OneByOne<V> extends Handling<V> {
    /**
     * Begins to handle a record.
     *
     * @param pass whether a handler that another thread begins may start by then; null when nobody
     *     asks
     * @return completes when it is handled; null when it is already
     */
    @Nullable CompletionStage<?> begin(
        V value, RecordContext context, Delivery delivery, @Nullable Pass pass, EngineClock clock)
        throws Exception;
  }

  /** The one of batches. */
  record InBatches<V>(BatchHandler<? super V> handler) implements Handling<V> {
    @Override
    public boolean holdsWorker() {
      return true;
    }
  }

  /** The usual one. */
  record InWorker<V>(RecordHandler<? super V> handler) implements OneByOne<V> {
    @Override
    public @Nullable CompletionStage<?> begin(
        V value, RecordContext context, Delivery delivery, @Nullable Pass pass, EngineClock clock)
        throws Exception {
      handler.handle(value, context);
      return null;
    }

    @Override
    public boolean holdsWorker() {
      return true;
    }
  }

  /** The asynchronous one. */
  record Asynchronous<V>(AsyncRecordHandler<? super V> handler) implements OneByOne<V> {
    @Override
    public CompletionStage<?> begin(
        V value, RecordContext context, Delivery delivery, @Nullable Pass pass, EngineClock clock)
        throws Exception {
      CompletionStage<?> stage = handler.handle(value, context);
      if (stage == null) {
        throw new IllegalStateException(
            "The handler returned null for "
                + context
                + "; an AsyncRecordHandler returns a stage.");
      }
      delivery.leavesWorker();
      return stage;
    }
  }

  /**
   * A handler that blocks, in the user's executor.
   *
   * @param threads those of the executor that are in the handler
   */
  record OnExecutor<V>(RecordHandler<? super V> handler, Executor executor, Set<Thread> threads)
      implements OneByOne<V> {
    @Override
    public CompletionStage<?> begin(
        V value, RecordContext context, Delivery delivery, @Nullable Pass pass, EngineClock clock) {
      return new ExecutorTask<>(this::handle, value, context, delivery, pass, clock)
          .giveTo(executor);
    }

    private void handle(V value, RecordContext context) throws Exception {
      Thread thread = Thread.currentThread();
      boolean first = threads.add(thread); // A pool's thread that waits for a task may run another.
      try {
        handler.handle(value, context);
      } finally {
        if (first) {
          threads.remove(thread);
        }
      }
    }

    @Override
    public boolean isHandlerThread() {
      return threads.contains(Thread.currentThread());
    }
  }
}
