package dev.millrace.internal.transaction;

import dev.millrace.internal.transaction.RecordEnd.Effect;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * A part of a consumer's partitions, and the one transaction that is open for them.
 *
 * <p>Invariant: a record's outputs are in a transaction exactly if its offset is. A record ends
 * while the slice is open: its ticket is completed and its outputs are sent, in one go. Offsets are
 * read while it is shut and no end is under way. So nothing needs to come to rest for a commit:
 * handlers run on, and those that return meanwhile end when the next transaction has begun.
 *
 * <p>Outputs wait for their handler to return, so an attempt that fails leaves nothing behind.
 */
public final class Slice {

  /** What came of what the poll thread has asked for. */
  public sealed interface News {}

  /**
   * Outputs and offsets are there.
   *
   * @param left for which topics records have left with it
   * @param notBegun why the next transaction has not begun, and the slice stays shut; null when it
   *     is open again
   */
  public record Committed(Set<String> left, @Nullable RuntimeException notBegun) implements News {}

  /**
   * Nothing of it is there, or nobody knows: what the group's offsets say counts, once the next
   * transaction has begun. The slice stays shut.
   *
   * @param ended how many records had ended in it
   * @param left for which topics records were to leave with it
   * @param poison those that it could not hold
   */
  public record Aborted(RuntimeException cause, int ended, Set<String> left, List<Poison> poison)
      implements News {}

  /** A transaction has begun. The slice stays shut until {@link #open}. */
  public record Begun() implements News {}

  /** No transaction could be begun. The slice stays shut. */
  public record NotBegun(RuntimeException cause) implements News {}

  /** A mistake of ours: nothing is known any more. */
  public record Failed(Throwable bug) implements News {}

  private static final int SHUT = Integer.MIN_VALUE;

  private final Transactions transactions;
  private final Executor thread;
  private final Runnable signal;

  /** The ends under way; the sign says whether others may begin. */
  private final AtomicInteger gate = new AtomicInteger(SHUT);

  private final Queue<RecordEnd> waiting = new ConcurrentLinkedQueue<>();
  private final Queue<Poison> poison = new ConcurrentLinkedQueue<>();

  /** Since the transaction has begun. */
  private final AtomicInteger ended = new AtomicInteger();

  /** For which topics records have left since the transaction has begun. */
  private final Set<String> left = ConcurrentHashMap.newKeySet();

  /** Whether a send has failed since the transaction has begun. */
  private final AtomicBoolean hasFailed = new AtomicBoolean();

  private volatile @Nullable News news;

  // Poll thread: whether something was asked for of which there was no news yet.
  private boolean busy;

  /**
   * @param thread runs one thing after the other; the waits for brokers are its
   * @param signal called when the poll thread has something to do for the slice
   */
  Slice(Transactions transactions, Executor thread, Runnable signal) {
    this.transactions = transactions;
    this.thread = thread;
    this.signal = signal;
  }

  /**
   * Waits until the brokers have told of a topic that is about to be written to. Any thread.
   *
   * @throws RuntimeException when it is not there
   */
  public void awaitTopic(String topic) {
    transactions.awaitTopic(topic);
  }

  /** Ends a record. Any thread; one at a time for a record. */
  public Effect end(RecordEnd end) {
    if (enter()) {
      try {
        return takeEffect(end) ? Effect.COMPLETED : Effect.TAKEN_BACK;
      } finally {
        leave();
      }
    }
    waiting.add(end);
    endWaiting(); // It may have been opened since, by one who saw nothing waiting.
    return Effect.LATER;
  }

  private void endWaiting() {
    while (!waiting.isEmpty() && enter()) {
      RecordEnd next = null;
      boolean completed = false;
      try {
        next = waiting.poll();
        completed = next != null && takeEffect(next);
      } finally {
        leave();
      }
      if (next != null) {
        next.later().ended(completed);
      }
    }
  }

  /**
   * The ticket before the outputs: of a record that was taken back nothing may be sent. The count
   * before the ticket: who finds it done must find that the transaction is not empty.
   */
  private boolean takeEffect(RecordEnd end) {
    ended.incrementAndGet();
    if (!end.ticket().complete()) {
      ended.decrementAndGet();
      return false;
    }
    for (ProducerRecord<byte[], byte[]> output : end.outputs()) {
      if (end.departure() != null) {
        left.add(output.topic());
      }
      transactions.send(output, failure -> notSent(end, output, failure));
    }
    return true;
  }

  /**
   * The client's thread, or the sender's own. With the first failure the client fails all that it
   * has not sent yet, so only that one is sure to be the output's own.
   */
  private void notSent(RecordEnd end, ProducerRecord<byte[], byte[]> output, Throwable failure) {
    boolean first = hasFailed.compareAndSet(false, true);
    if (Poison.isCause(failure, output.topic(), first)) {
      poison.add(Poison.of(end, output, failure));
    }
  }

  private boolean enter() {
    int before = gate.get();
    while (before >= 0) {
      if (gate.compareAndSet(before, before + 1)) {
        return true;
      }
      before = gate.get();
    }
    return false;
  }

  private void leave() {
    if (gate.decrementAndGet() == SHUT) {
      signal.run();
    }
  }

  /** Any thread. Whether {@link #takeNews} has something. */
  public boolean hasNews() {
    return news != null;
  }

  /** Any thread. Whether it is shut, and no record is about to end. */
  public boolean isQuiet() {
    return gate.get() == SHUT;
  }

  /** Poll thread. Whether a record has ended since the transaction began. */
  public boolean isTouched() {
    return ended.get() > 0;
  }

  /** Poll thread, while nothing is asked for. Lets no other record end; false while one does. */
  public boolean shut() {
    requireIdle();
    int before = gate.get();
    while (before >= 0 && !gate.compareAndSet(before, before | SHUT)) {
      before = gate.get();
    }
    return isQuiet();
  }

  /**
   * Poll thread, when the slice is shut and a transaction has begun. Lets records end, first those
   * that have waited.
   */
  public void open() {
    requireShut();
    gate.set(0);
    thread.execute(this::endWaiting);
  }

  /** Poll thread, when the slice is shut. Commits what has ended, begins the next, and opens. */
  public void commit(Map<TopicPartition, OffsetAndMetadata> offsets, ConsumerGroupMetadata group) {
    ask(
        () -> {
          try {
            transactions.commit(offsets, group);
          } catch (RuntimeException e) {
            return aborted(e);
          }
          ended.set(0);
          Set<String> there = takeLeft();
          try {
            transactions.begin();
          } catch (RuntimeException e) {
            return new Committed(there, e);
          }
          gate.set(0);
          endWaiting();
          return new Committed(there, null);
        });
  }

  /** Poll thread, when the slice is shut. Undoes what has ended. */
  public void abort(RuntimeException cause) {
    ask(() -> aborted(cause));
  }

  /** Poll thread, when the slice is shut and no transaction has begun. */
  public void begin() {
    ask(
        () -> {
          try {
            transactions.begin();
          } catch (RuntimeException e) {
            return new NotBegun(e);
          }
          return new Begun();
        });
  }

  /** Poll thread. Returns the news, once; null when there is none. */
  public @Nullable News takeNews() {
    News taken = news;
    if (taken != null) {
      news = null;
      busy = false;
    }
    return taken;
  }

  private void ask(Supplier<News> work) {
    requireShut();
    busy = true;
    thread.execute(
        () -> {
          try {
            news = work.get();
          } catch (Throwable bug) { // The thread would swallow it, and all wait for ever.
            news = new Failed(bug);
          }
          signal.run();
        });
  }

  private News aborted(RuntimeException cause) {
    transactions.abort();
    hasFailed.set(false);
    List<Poison> found = new ArrayList<>();
    for (Poison next = poison.poll(); next != null; next = poison.poll()) {
      found.add(next);
    }
    return new Aborted(cause, ended.getAndSet(0), takeLeft(), found);
  }

  private Set<String> takeLeft() {
    Set<String> taken = Set.copyOf(left);
    left.clear();
    return taken;
  }

  private void requireShut() {
    requireIdle();
    if (!isQuiet()) {
      throw new IllegalStateException("The slice is open, or records are about to end in it.");
    }
  }

  private void requireIdle() {
    if (busy) {
      throw new IllegalStateException("The slice has not yet done what it was asked for.");
    }
  }
}
