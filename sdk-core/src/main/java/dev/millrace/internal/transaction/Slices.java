package dev.millrace.internal.transaction;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import org.apache.kafka.common.TopicPartition;

/** A consumer's slices; which one a partition is in never changes. Immutable. */
public final class Slices {
  private final List<Slice> all = new ArrayList<>();
  private final List<ExecutorService> threads = new ArrayList<>();
  private final List<Transactions> transactions;

  /**
   * Makes them; all are shut.
   *
   * @param transactions of each slice
   * @param threads makes the thread of a slice, by its number from 0
   * @param signal called when the poll thread has something to do for one
   */
  public Slices(
      List<? extends Transactions> transactions,
      IntFunction<ExecutorService> threads,
      Runnable signal) {
    this.transactions = List.copyOf(transactions);
    for (int i = 0; i < transactions.size(); i++) {
      ExecutorService thread = threads.apply(i);
      this.threads.add(thread);
      all.add(new Slice(transactions.get(i), thread, signal));
    }
  }

  /** Returns all. */
  public List<Slice> all() {
    return List.copyOf(all);
  }

  /** Returns the one that a partition is in; neighbours are in different ones. Any thread. */
  public Slice of(TopicPartition partition) {
    return all.get(Math.floorMod(partition.topic().hashCode() + partition.partition(), all.size()));
  }

  /**
   * Ends their transactions and threads; what is open is not committed. Poll thread, when nothing
   * is asked of them any more but what may be under way.
   *
   * @param bound how long to wait
   */
  public void close(Duration bound) {
    long deadline = System.nanoTime() + bound.toNanos();
    for (int i = 0; i < all.size(); i++) {
      threads.get(i).execute(transactions.get(i)::abort);
      threads.get(i).shutdown();
    }
    for (int i = 0; i < all.size(); i++) {
      ExecutorService thread = threads.get(i);
      try {
        if (!thread.awaitTermination(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
          thread.shutdownNow();
        }
      } catch (InterruptedException e) {
        thread.shutdownNow();
        Thread.currentThread().interrupt();
      }
      transactions.get(i).close(Duration.ofNanos(Math.max(0, deadline - System.nanoTime())));
    }
  }
}
