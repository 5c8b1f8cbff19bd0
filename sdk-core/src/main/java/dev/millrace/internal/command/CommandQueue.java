package dev.millrace.internal.command;

import dev.millrace.errors.ConsumerClosedException;
import dev.millrace.internal.channel.Confinement;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The way to the poll thread for all others.
 *
 * <p>Invariant: each command is run or refused, once. Who asks first queues the command, then looks
 * whether the queue is closed; who closes it first says so, then refuses what is queued.
 */
public final class CommandQueue {
  private final Confinement confinement = new Confinement("The running of commands");
  private final String consumer;
  private final Runnable wake;
  private final LinkedBlockingQueue<ConsumerCommand<?>> waiting = new LinkedBlockingQueue<>();
  private volatile boolean closed;

  /**
   * @param wake ends the poll thread's wait, wherever it waits; called by any thread
   */
  public CommandQueue(String consumer, Runnable wake) {
    this.consumer = consumer;
    this.wake = wake;
  }

  /** Any thread. The future completes on the poll thread, or here when the queue is closed. */
  public <R extends @Nullable Object> CompletableFuture<R> ask(String what, Supplier<R> work) {
    ConsumerCommand<R> command = new ConsumerCommand<>(what, work, new CompletableFuture<>());
    waiting.add(command);
    if (closed) {
      refuseAll();
    } else {
      wake.run();
    }
    return command.reply();
  }

  /** Any thread. */
  public boolean isEmpty() {
    return waiting.isEmpty();
  }

  /**
   * Poll thread. Runs the oldest command, if there is one. No more in a turn: each may wait for
   * brokers that don't answer, and neither the polls nor a stop must wait for all of them.
   */
  public void runNext() {
    confinement.check();
    ConsumerCommand<?> next = waiting.poll();
    if (next != null) {
      next.run();
    }
  }

  /** Refuses what waits, and all that comes. */
  public void close() {
    closed = true;
    refuseAll();
  }

  private void refuseAll() {
    for (ConsumerCommand<?> command = waiting.poll(); command != null; command = waiting.poll()) {
      command
          .reply()
          .completeExceptionally(
              new ConsumerClosedException(
                  "Consumer '%s' has ended, or is about to; it did not %s."
                      .formatted(consumer, command.what()),
                  null));
    }
  }
}
