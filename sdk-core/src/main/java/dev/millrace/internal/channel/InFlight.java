package dev.millrace.internal.channel;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What is held: records queued, running or parked, and their bytes. Any thread.
 *
 * <p>Invariant: each record that is held counts once, in the channel or at rest, and is taken from
 * where it counts: one compare-and-set of its own decides between who moves it, its lane's holder,
 * and who takes it back. What rests is what a lane holds that waits for its head's next attempt; it
 * takes no room in the channel, since nobody can work on it.
 */
public final class InFlight {
  private final boolean lanesRest;
  private final Runnable onRest;
  private final AtomicInteger records = new AtomicInteger();
  private final AtomicInteger resting = new AtomicInteger();
  private final AtomicLong bytes = new AtomicLong();

  // Poll thread.
  private long taken;

  /**
   * @param lanesRest whether anything ever counts as resting
   * @param onRest told when what a lane holds has come to rest, so that there is room
   */
  InFlight(boolean lanesRest, Runnable onRest) {
    this.lanesRest = lanesRest;
    this.onRest = onRest;
  }

  /**
   * Poll thread, before its lane has it.
   *
   * @param rests whether its lane does
   */
  void add(Delivery delivery, boolean rests) {
    taken++;
    records.incrementAndGet();
    bytes.addAndGet(delivery.bytes());
    delivery.load().taken(delivery.bytes());
    if (rests) {
      comesToRest(delivery);
    }
  }

  /** Whoever ends it, for its lane's holder, so that nobody can move it. */
  void end(Delivery delivery) {
    remove(delivery, delivery.goesUnmoved());
  }

  /** Whoever ends it while its lane's holder may move it. */
  void takeBack(Delivery delivery) {
    remove(delivery, delivery.goes());
  }

  private void remove(Delivery delivery, boolean rested) {
    if (rested) {
      countResting(delivery, -1);
    }
    bytes.addAndGet(-delivery.bytes());
    records.decrementAndGet();
    delivery.load().ended(delivery.bytes());
  }

  /** Returns whether anything ever counts as resting. */
  boolean lanesRest() {
    return lanesRest;
  }

  /** Holder of its lane, or the poll thread before that has it. */
  void comesToRest(Delivery delivery) {
    countResting(delivery, 1); // First: who takes it back next counts it off.
    if (!delivery.comesToRest()) {
      countResting(delivery, -1);
    }
  }

  /** Holder of its lane. */
  void leavesRest(Delivery delivery) {
    if (delivery.leavesRest()) {
      countResting(delivery, -1);
    }
  }

  /** What a lane holds has come to rest. Any thread. */
  void laneRests() {
    onRest.run();
  }

  private void countResting(Delivery delivery, int change) {
    resting.addAndGet(change);
    delivery.load().rest(change);
  }

  /** Poll thread. Returns how many records have ever ended, or were taken back. */
  public long ended() {
    return taken - records.get();
  }

  /** Returns how many are held, those that rest with them. */
  public int records() {
    return records.get();
  }

  /**
   * Returns how many take room in the channel. While some are just moved, a few too many or few.
   */
  public int inChannel() {
    return Math.max(0, records.get() - resting.get());
  }

  /** Returns how many rest. */
  public int resting() {
    return resting.get();
  }

  /** Returns the bytes of all that are held. */
  public long bytes() {
    return bytes.get();
  }
}
