package dev.millrace.benchmarks;

import com.fasterxml.jackson.databind.ObjectReader;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The handler that all contenders run: does the workload's work for a record, and watches that each
 * comes once and in its key's order. Any thread.
 */
final class Handling {
  /** How often the number of handled records is looked at: rarely enough to cost nothing. */
  private static final int LOOK_MILLIS = 2;

  private static final Duration STANDSTILL = Duration.ofSeconds(60);

  /** Is told of each record, by the thread that begins or ends it. */
  interface Listener {
    default void started(int sequence) {}

    void handled(int sequence, byte[] value);
  }

  private final Workload workload;
  private final int records;
  private final Listener listener;
  private final KeyOrder order;
  private final ObjectReader decoder = Json.MAPPER.readerFor(Payload.Order.class);
  private final LongAdder handled = new LongAdder();
  private final CompletableFuture<@Nullable Void> stuck = new CompletableFuture<>();

  /**
   * @param records how many there are
   * @param stuck whether the first record of each partition waits for {@link #release()}
   */
  Handling(Workload workload, int records, boolean stuck, Listener listener) {
    this.workload = workload;
    this.records = records;
    this.listener = listener;
    this.order = new KeyOrder(workload);
    if (!stuck) {
      release();
    }
  }

  int records() {
    return records;
  }

  void handle(long offset, byte[] value) throws Exception {
    int sequence = Payload.sequence(value);
    started(sequence);
    if (offset == 0) {
      stuck.get();
    }
    work(sequence, value);
    ended(sequence, value);
  }

  private void started(int sequence) {
    order.started(sequence);
    listener.started(sequence);
  }

  private void ended(int sequence, byte[] value) {
    order.ended(sequence);
    listener.handled(sequence, value);
    handled.increment();
  }

  /**
   * As {@link #handle}, but nothing waits: the JDK's timer ends the record when it is time. On its
   * own thread, since on two processors the JDK's pool would start a thread for each.
   */
  CompletionStage<?> begin(long offset, byte[] value) {
    int sequence = Payload.sequence(value);
    started(sequence);
    Runnable end = () -> ended(sequence, value);
    return offset == 0
        ? stuck.thenRunAsync(end, after(sequence))
        : CompletableFuture.runAsync(end, after(sequence));
  }

  /** As {@link #begin}, but only waits and counts. */
  CompletionStage<?> beginToWait(int sequence) {
    return CompletableFuture.runAsync(handled::increment, after(sequence));
  }

  private Executor after(int sequence) {
    return CompletableFuture.delayedExecutor(
        workload.millisOf(sequence), TimeUnit.MILLISECONDS, Runnable::run);
  }

  /** Waits as long as the handler would for this record, and counts it. */
  void waitOnly(int sequence) throws InterruptedException {
    sleep(sequence);
    handled.increment();
  }

  private void work(int sequence, byte[] value) throws Exception {
    if (workload.json()) {
      Payload.Order decoded = decoder.readValue(value);
      if (decoded.lines().isEmpty()) {
        throw new IllegalStateException("Record " + sequence + " was not decoded");
      }
    }
    sleep(sequence);
  }

  private void sleep(int sequence) throws InterruptedException {
    int millis = workload.millisOf(sequence);
    if (millis > 0) {
      TimeUnit.MILLISECONDS.sleep(millis);
    }
  }

  /** Lets the first records of the partitions go on. */
  void release() {
    stuck.complete(null);
  }

  /** Returns how many have been handled. */
  long handled() {
    return handled.sum();
  }

  /**
   * Waits until so many have been handled. Looks from time to time, since to be told by the
   * handlers would be measured with them.
   *
   * @throws IllegalStateException when none was handled for a minute
   */
  void await(long count) throws InterruptedException {
    await(count, this::handled);
  }

  /** As {@link #await(long)}, of some of the records. */
  void await(long count, LongSupplier handledOfThem) throws InterruptedException {
    long before = handledOfThem.getAsLong();
    long since = System.nanoTime();
    for (long now = before; now < count; now = handledOfThem.getAsLong()) {
      if (now != before) {
        before = now;
        since = System.nanoTime();
      } else if (System.nanoTime() - since > STANDSTILL.toNanos()) {
        throw new IllegalStateException(
            "%,d of %,d records were handled, then none for %s".formatted(now, count, STANDSTILL));
      }
      TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
    }
  }

  /** Returns what was wrong with the order; empty when nothing was. */
  String problems() {
    return order.problems();
  }
}
