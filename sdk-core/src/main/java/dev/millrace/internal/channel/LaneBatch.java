package dev.millrace.internal.channel;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The first deliveries of a lane, to be worked on together: while it waits for more of them, and
 * from then on until each of them has ended.
 *
 * <p>Invariant: the lane of a batch that gathers is held by whoever {@link #claim claims} it, and
 * one does. The lane of a batch in a round is held by whoever ends the round's last wait. Until the
 * last member has ended, no delivery behind them starts. While all that the round still waits for
 * are next attempts, the lane rests: who ends the last other wait says so before it does.
 */
final class LaneBatch implements Comparable<LaneBatch> {
  private final Lane lane;
  private final Gathering gathering;
  private final int most;
  private final long dueNanos;
  private final long number;
  private final AtomicBoolean gathers = new AtomicBoolean();

  /** What the round still waits for; the worker that began it is one of them. */
  private final AtomicInteger waits = new AtomicInteger();

  /** Those of them that are no wait for a next attempt. */
  private final AtomicInteger otherWaits = new AtomicInteger();

  // The holder.
  private final List<Delivery> members = new ArrayList<>();

  /**
   * @param most the most deliveries
   * @param dueNanos until when it may wait for them
   */
  LaneBatch(Lane lane, Gathering gathering, int most, long dueNanos) {
    this.lane = lane;
    this.gathering = gathering;
    this.most = most;
    this.dueNanos = dueNanos;
    this.number = gathering.number();
  }

  /** By the time at which they are due. */
  @Override
  public int compareTo(LaneBatch other) {
    long later = dueNanos - other.dueNanos;
    return later == 0 ? Long.compare(number, other.number) : Long.signum(later);
  }

  Lane lane() {
    return lane;
  }

  long dueNanos() {
    return dueNanos;
  }

  /** Any thread. */
  boolean isFull() {
    return lane.size() >= most;
  }

  /** Holder. From here on, the lane is held by whoever claims the batch. */
  void gather() {
    gathers.set(true);
  }

  /** Ends the gathering; true for one caller, which holds the lane now. Any thread. */
  boolean claim() {
    if (!gathers.compareAndSet(true, false)) {
      return false;
    }
    gathering.forget(this);
    return true;
  }

  /**
   * Holder. Begins a round: claims the tickets of those that have not ended. An {@link #end} is
   * owed for each that is returned, and an {@link #endOfWork} by the caller.
   */
  List<Delivery> begin() {
    if (members.isEmpty()) {
      members.addAll(lane.first(most));
    }
    // From the oldest to the newest: none that was taken back is passed by one that was not.
    members.removeIf(
        delivery -> delivery.hasEnded() || !(delivery.isSettling() || delivery.ticket().start()));
    waits.set(members.size() + 1);
    otherWaits.set(members.size() + 1);
    return List.copyOf(members);
  }

  /** The worker's part of the round ends; as {@link #end}. */
  boolean endOfWork() {
    int others = 1;
    for (Delivery member : members) {
      others += member.isBackingOff() ? 1 : 0;
    }
    return end(others);
  }

  /**
   * Ends the wait for one of the round; true when it was the last, and the caller holds the lane
   * now.
   */
  boolean end(Delivery member) {
    return end(member.isBackingOff() ? 0 : 1);
  }

  private boolean end(int others) {
    // Last for now, and still owed here: so nobody resumes the lane meanwhile.
    if (others > 0 && otherWaits.addAndGet(-others) == 0 && waits.get() > 1) {
      lane.rest();
    }
    return countDown();
  }

  private boolean countDown() {
    if (waits.decrementAndGet() > 0) {
      return false;
    }
    members.removeIf(Delivery::hasEnded);
    if (members.isEmpty()) {
      lane.batch = null;
    }
    return true;
  }
}
