package dev.millrace.internal.producer;

import dev.millrace.errors.TransactionSlotsBusyException;
import dev.millrace.internal.metrics.ClientMeters;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The transactional slots of one name, leased one by one: who has leased a slot has it alone until
 * it gives it back. Who waits longest is served first. Any thread.
 */
public final class TransactionalSlots {
  private final String owner;
  private final List<TransactionalSlot> all = new ArrayList<>();

  /** As many permits as there are idle slots; a slot is put back before its permit is. */
  private final Semaphore permits;

  /** From the last used one, so that no more clients are made than are used at the same time. */
  private final Deque<TransactionalSlot> idle = new ConcurrentLinkedDeque<>();

  private volatile boolean closed;

  /**
   * @param owner what they work for, for the texts
   * @param transactionalIds one for each slot
   * @param timeout the clients' {@code transaction.timeout.ms}
   * @param clients makes the client of a transactional id
   */
  TransactionalSlots(
      String owner,
      List<String> transactionalIds,
      Duration timeout,
      Function<String, TransactionalClient> clients) {
    this.owner = owner;
    for (String id : transactionalIds) {
      all.add(new TransactionalSlot(owner, id, timeout, () -> clients.apply(id)));
    }
    this.permits = new Semaphore(all.size(), true);
    idle.addAll(all);
  }

  /**
   * Makes the slots of a producer.
   *
   * @param name the producer's, for the meters
   * @param owner what they work for, for the texts
   * @param settings a client's settings by its transactional id, one for each slot, in order
   */
  public static TransactionalSlots of(
      String name,
      String owner,
      Map<String, Map<String, Object>> settings,
      Duration timeout,
      ClientMeters meters) {
    return new TransactionalSlots(
        owner,
        List.copyOf(settings.keySet()),
        timeout,
        id -> TransactionalClient.make(name, Objects.requireNonNull(settings.get(id)), meters));
  }

  /**
   * Leases a slot; it is to be given back.
   *
   * @param bound how long to wait while all are in use
   * @throws TransactionSlotsBusyException when none came free, or the thread was interrupted, which
   *     stays set
   * @throws IllegalStateException when the slots are closed
   */
  public TransactionalSlot lease(Duration bound) {
    requireOpen();
    long asked = System.nanoTime();
    try {
      if (!permits.tryAcquire(bound.toNanos(), TimeUnit.NANOSECONDS)) {
        throw busy(asked, null);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw busy(asked, e);
    }
    TransactionalSlot leased = idle.removeFirst();
    if (closed) {
      giveBack(leased);
      requireOpen();
    }
    return leased;
  }

  private TransactionSlotsBusyException busy(long asked, @Nullable Throwable cause) {
    int free = permits.availablePermits();
    return new TransactionSlotsBusyException(
        "%s got no slot for a transaction within %d ms%s: of %d slots %d are in use and %d idle, and %d more threads wait. Raise 'transaction.slots', or let transactions end sooner; 'transaction.acquire-timeout' sets the wait."
            .formatted(
                owner,
                TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - asked),
                cause == null ? "" : " (its thread was interrupted)",
                all.size(),
                all.size() - free,
                free,
                permits.getQueueLength()),
        cause);
  }

  /** Gives a leased slot back. A transaction that has not ended is given up, as by a crash. */
  public void giveBack(TransactionalSlot slot) {
    if (slot.isInTransaction()) {
      slot.endedUnconfirmed(new IllegalStateException("given back in a transaction"));
    }
    if (closed) {
      slot.close(Duration.ZERO);
    }
    if (slot.isWarm()) {
      idle.addFirst(slot);
    } else {
      idle.addLast(slot);
    }
    permits.release();
  }

  void requireOpen() {
    if (closed) {
      throw new IllegalStateException("The KafkaFactory is closed.");
    }
  }

  /**
   * Takes no more leases, waits for those that are out, and closes all clients. What is still out
   * at the end of the bound is closed where it stands: its transaction is not committed, unless its
   * commit was on its way already.
   */
  public void close(Duration bound) {
    closed = true;
    long deadline = System.nanoTime() + bound.toNanos();
    try {
      if (permits.tryAcquire(all.size(), bound.toNanos(), TimeUnit.NANOSECONDS)) {
        permits.release(all.size()); // Who still waits in the queue is to find out.
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    for (TransactionalSlot slot : all) {
      slot.close(
          slot.isInTransaction()
              ? Duration.ZERO
              : Duration.ofNanos(Math.max(0, deadline - System.nanoTime())));
    }
  }
}
