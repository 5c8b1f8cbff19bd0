package dev.millrace.internal.channel;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * How many records may be in their handler at the same time. Where each is there with a thread of
 * its own, the threads are the permits, and nothing is counted. Any thread.
 *
 * <p>Invariant: a permit that is taken is given back once: by the worker, or, when the handler has
 * left the worker with its work still going on, by whoever ends that.
 */
public final class Permits {
  private static final int UNCOUNTED = -1;

  private final int all;
  private final AtomicInteger used = new AtomicInteger();

  private Permits(int all) {
    this.all = all;
  }

  /** Each worker is a permit. */
  public static Permits threads() {
    return new Permits(UNCOUNTED);
  }

  /** So many, whatever the number of workers. */
  public static Permits counted(int all) {
    return new Permits(all);
  }

  boolean areThreads() {
    return all == UNCOUNTED;
  }

  boolean take() {
    if (areThreads()) {
      return true;
    }
    int before = used.get();
    while (before < all) {
      if (used.compareAndSet(before, before + 1)) {
        return true;
      }
      before = used.get();
    }
    return false;
  }

  void giveBack() {
    if (!areThreads()) {
      used.decrementAndGet();
    }
  }

  boolean isFree() {
    return areThreads() || used.get() < all;
  }

  int used() {
    return used.get();
  }
}
