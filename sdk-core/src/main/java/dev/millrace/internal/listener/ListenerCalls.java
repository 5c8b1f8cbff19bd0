package dev.millrace.internal.listener;

import dev.millrace.consumer.ConsumerListener;
import dev.millrace.internal.channel.PollThreadSignal;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the service's listener what happens. Called by the poll thread, which must not run the
 * service's code inside a rebalance: the listener has a thread, started with the first event, and
 * gets one call after the other.
 */
public final class ListenerCalls {
  private static final Logger LOG = LoggerFactory.getLogger(ListenerCalls.class);

  private final String consumer;
  private final ConsumerListener listener;
  private final PollThreadSignal signal;
  private final @Nullable ExecutorService executor;

  // Poll thread.
  private boolean ended;

  private volatile @Nullable Thread thread;

  /**
   * @param listener null when there is none: then nothing is done, and no executor asked for
   * @param executor runs one task at a time, in order
   */
  public ListenerCalls(
      String consumer,
      @Nullable ConsumerListener listener,
      PollThreadSignal signal,
      Supplier<ExecutorService> executor) {
    this.consumer = consumer;
    this.signal = signal;
    this.listener = listener == null ? new ConsumerListener() {} : listener;
    this.executor = listener == null ? null : executor.get();
  }

  /** Returns what holds once the listener has returned; the signal is raised then. */
  public BooleanSupplier assigned(Set<TopicPartition> partitions) {
    return tell("assigned " + partitions, () -> listener.assigned(partitions));
  }

  /** Returns what holds once the listener has returned; the signal is raised then. */
  public BooleanSupplier revoked(Set<TopicPartition> partitions) {
    return tell("revoked " + partitions, () -> listener.revoked(partitions));
  }

  /**
   * The last call of all. Partitions that come or go afterwards, while the last commit is seen
   * through, are none of the listener's: it has given up what it had, and will get nothing of what
   * comes.
   *
   * @return what holds once the listener has returned; the signal is raised then
   */
  public BooleanSupplier ends(Set<TopicPartition> leaving) {
    BooleanSupplier returned = leaving.isEmpty() ? () -> true : revoked(leaving);
    ended = true;
    return returned;
  }

  public void lost(Set<TopicPartition> partitions) {
    BooleanSupplier unused = tell("lost " + partitions, () -> listener.lost(partitions));
  }

  void idle(Duration lasting) {
    BooleanSupplier unused = tell("idle", () -> listener.idle(lasting));
  }

  void active() {
    BooleanSupplier unused = tell("active", listener::active);
  }

  /** Returns whether the calling thread is the listener's. Any thread. */
  public boolean isListenerThread() {
    return Thread.currentThread() == thread;
  }

  /** Ends the thread, after what it has been told; interrupts it when that takes too long. */
  public void close(Duration timeout) {
    if (executor == null) {
      return;
    }
    executor.shutdown();
    try {
      if (!executor.awaitTermination(timeout.toNanos(), TimeUnit.NANOSECONDS)) {
        LOG.warn("Consumer '{}' interrupts its listener, which does not return.", consumer);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      executor.shutdownNow();
    }
  }

  private BooleanSupplier tell(String what, Runnable call) {
    if (executor == null || ended) {
      return () -> true;
    }
    CompletableFuture<Void> returned = CompletableFuture.runAsync(() -> run(what, call), executor);
    // Behind the end, not in it: who is woken finds the call done.
    var unused = returned.whenComplete((nothing, failure) -> signal.raise());
    return returned::isDone;
  }

  private void run(String what, Runnable call) {
    thread = Thread.currentThread();
    try {
      call.run();
    } catch (Throwable failure) { // The service's own; the consumer goes on.
      LOG.warn("Consumer '{}': its listener failed when told '{}'.", consumer, what, failure);
    }
  }
}
