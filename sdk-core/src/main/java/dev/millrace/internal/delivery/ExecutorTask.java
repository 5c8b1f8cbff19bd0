package dev.millrace.internal.delivery;

import dev.millrace.consumer.RecordContext;
import dev.millrace.consumer.RecordHandler;
import dev.millrace.internal.channel.Delivery;
import dev.millrace.internal.start.Pass;
import dev.millrace.internal.time.EngineClock;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * An attempt on its way through the service's executor.
 *
 * <p>Invariant: until a thread of the executor claims the record's ticket, the record has not
 * started. So what is taken back meanwhile never starts, and nobody waits for it; and the time that
 * it waits is no time in its handler.
 */
final class ExecutorTask<V> implements Runnable {
  /** What the stage completes with when the handler was not called. */
  static final Object NOT_CALLED = new Object();

  /** As that, because no handler may start any more: the record is to ask for a start anew. */
  static final Object PUT_OFF = new Object();

  private final RecordHandler<? super V> handler;
  private final V value;
  private final RecordContext context;
  private final Delivery delivery;
  private final @Nullable Pass pass;
  private final EngineClock clock;
  private final CompletableFuture<@Nullable Object> end = new CompletableFuture<>();

  /** An executor may run what it has rejected; by then the ticket may wait for a retry. */
  private final AtomicBoolean taken = new AtomicBoolean();

  ExecutorTask(
      RecordHandler<? super V> handler,
      V value,
      RecordContext context,
      Delivery delivery,
      @Nullable Pass pass,
      EngineClock clock) {
    this.handler = handler;
    this.value = value;
    this.context = context;
    this.delivery = delivery;
    this.pass = pass;
    this.clock = clock;
  }

  /**
   * Worker, in the attempt.
   *
   * @return completes when the attempt has ended
   */
  CompletionStage<?> giveTo(Executor executor) {
    if (delivery.waitsForExecutor(clock.nanos())) {
      Thread.interrupted(); // It was meant for the decoder, not for the executor.
    }
    if (delivery.givenUp() != null || !delivery.ticket().requeue()) {
      end.complete(NOT_CALLED);
      return end;
    }
    try {
      executor.execute(this);
    } catch (Throwable rejection) {
      rejected(rejection);
    }
    return end;
  }

  private void rejected(Throwable rejection) {
    if (!taken.compareAndSet(false, true)) {
      return; // It runs all the same.
    }
    if (delivery.ticket().start()) {
      end.completeExceptionally(rejection);
    } else {
      end.complete(NOT_CALLED);
    }
  }

  /** A thread of the executor. */
  @Override
  public void run() {
    if (!taken.compareAndSet(false, true)) {
      return;
    }
    if (pass != null && !pass.stillHolds()) {
      end.complete(PUT_OFF);
      return;
    }
    if (!delivery.ticket().start()) {
      end.complete(NOT_CALLED);
      return;
    }
    Throwable failure = handle();
    if (failure == null) {
      end.complete(null);
    } else {
      end.completeExceptionally(failure);
    }
  }

  private @Nullable Throwable handle() {
    delivery.runs(clock.nanos());
    try {
      handler.handle(value, context);
      return null;
    } catch (Throwable failure) { // Errors too: the offset must not pass a record that failed.
      return failure;
    } finally {
      if (delivery.ends()) {
        Thread.interrupted(); // Ours: the executor's next task must not find it.
      }
    }
  }
}
