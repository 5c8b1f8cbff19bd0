package dev.millrace.internal.channel;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** What the channel holds: records queued, running or parked, and their bytes. Any thread. */
public final class InFlight {
  private final AtomicInteger records = new AtomicInteger();
  private final AtomicLong bytes = new AtomicLong();

  // Poll thread.
  private long taken;

  void add(Delivery delivery) {
    taken++;
    records.incrementAndGet();
    bytes.addAndGet(delivery.bytes());
    delivery.load().taken(delivery.bytes());
  }

  void remove(Delivery delivery) {
    bytes.addAndGet(-delivery.bytes());
    records.decrementAndGet();
    delivery.load().ended(delivery.bytes());
  }

  /** Poll thread. Returns how many records have ever ended, or were taken back. */
  public long ended() {
    return taken - records.get();
  }

  public int records() {
    return records.get();
  }

  public long bytes() {
    return bytes.get();
  }
}
