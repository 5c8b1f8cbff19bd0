package dev.millrace.internal.producer;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/** The transactional slots of a factory, by name, each made when first asked for. Any thread. */
public final class TransactionalPool {
  private final Map<String, TransactionalSlots> slots = new ConcurrentHashMap<>();
  private final ReentrantLock lifecycle = new ReentrantLock();
  private volatile boolean closed;

  /**
   * Returns the slots of a name.
   *
   * @param made asked for only when there are none yet
   * @throws IllegalStateException when the pool is closed
   */
  public TransactionalSlots slots(String name, Supplier<TransactionalSlots> made) {
    TransactionalSlots warm = slots.get(name);
    if (warm != null) {
      return warm;
    }
    // One lock for making and closing: slots made while the pool closes would never be closed.
    lifecycle.lock();
    try {
      if (closed) {
        throw new IllegalStateException("The KafkaFactory is closed.");
      }
      return slots.computeIfAbsent(name, absent -> made.get());
    } finally {
      lifecycle.unlock();
    }
  }

  /** Closes all slots; transactions that are open get until the timeout to end. */
  public void close(Duration timeout) {
    List<TransactionalSlots> all;
    lifecycle.lock();
    try {
      closed = true;
      all = List.copyOf(slots.values());
      slots.clear();
    } finally {
      lifecycle.unlock();
    }
    long deadline = System.nanoTime() + timeout.toNanos();
    for (TransactionalSlots each : all) {
      each.close(Duration.ofNanos(Math.max(0, deadline - System.nanoTime())));
    }
  }
}
