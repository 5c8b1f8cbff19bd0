package dev.millrace.internal.channel;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A mailbox whose deliveries are handled one after the other, in the order they were offered.
 *
 * <p>Invariant: at any moment the lane is idle, or exactly one party holds it: the ready queue, a
 * worker, or whoever promised to resume a parked delivery. The size decides: who raises it from
 * zero puts the lane on the ready queue, who lowers it to zero lets go. So the head needs no lock,
 * and two records of one lane never overlap.
 */
public final class Lane {
  private static final VarHandle SIZE;

  static {
    try {
      SIZE = MethodHandles.lookup().findVarHandle(Lane.class, "size", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  final InFlight inFlight;

  // Poll thread.
  long tag;
  @Nullable Lane nextInBucket;
  private @Nullable Delivery tail;

  // The holder.
  private @Nullable Delivery head;

  /** Whether what it holds waits for its head's next attempt. As {@link #batch}. */
  private volatile boolean resting;

  /**
   * What is worked on together, if anything is. Set by the holder, looked at by the poll thread.
   */
  volatile @Nullable LaneBatch batch;

  // Both; every change is a full fence, which publishes the links written before it.
  @SuppressWarnings("UnusedVariable") // read and written through SIZE
  private volatile int size;

  Lane(long tag, InFlight inFlight) {
    this.tag = tag;
    this.inFlight = inFlight;
  }

  /** Poll thread, after an offer to a lane that is held. True when the caller now holds it. */
  boolean completesBatch() {
    LaneBatch gathering = batch;
    return gathering != null && gathering.isFull() && gathering.claim();
  }

  /** Poll thread. True when the lane was idle: the caller now holds it and must make it ready. */
  boolean offer(Delivery delivery) {
    delivery.lane = this;
    Delivery last = tail;
    tail = delivery;
    if (last == null || isIdle()) {
      // No link from the old tail: it may be old garbage, and would keep the young from collection.
      head = delivery;
      SIZE.setVolatile(this, 1);
      return true;
    }
    last.next = delivery;
    if ((int) SIZE.getAndAdd(this, 1) == 0) {
      last.next = null;
      head = delivery;
      return true;
    }
    return false;
  }

  /** Poll thread. */
  boolean isIdle() {
    return size == 0;
  }

  /** Any thread. */
  int size() {
    return size;
  }

  /** Holder. The delivery to work on. */
  Delivery head() {
    Delivery first = head;
    if (first == null) {
      throw new IllegalStateException("An idle lane has no head.");
    }
    return first;
  }

  /** Poll thread. */
  boolean isResting() {
    return resting;
  }

  /** Holder, before the head, which waits for its next attempt, may be resumed. */
  void headRests() {
    if (batch == null) { // The last that a batch waits for otherwise says that it rests.
      rest();
    }
  }

  /**
   * Holder, before anybody may resume it: what it holds, and what it is offered from now on, takes
   * no room in the channel.
   */
  void rest() {
    if (inFlight.lanesRest()) {
      resting = true;
      each(inFlight::comesToRest);
      inFlight.laneRests();
    }
  }

  /** Holder, before any of it is worked on: it takes room again, be there any or not. */
  void goOn() {
    if (resting) {
      resting = false;
      each(inFlight::leavesRest);
    }
  }

  private void each(Consumer<Delivery> action) {
    int left = size; // Read first: it publishes the links.
    for (Delivery next = head; next != null && left > 0; next = next.next, left--) {
      action.accept(next);
    }
  }

  /** Holder. Drops the head; false when the lane is now idle and no longer the caller's. */
  boolean advance() {
    goOn();
    Delivery ended = head();
    letGo(ended);
    if ((int) SIZE.getAndAdd(this, -1) == 1) {
      return false;
    }
    head = ended.next;
    ended.next = null;
    return true;
  }

  /** Holder. Has an ended delivery leave the channel, unless it has left it before. */
  void letGo(Delivery ended) {
    if (!ended.hasEnded()) {
      inFlight.end(ended);
      ended.release();
    }
  }

  /** Holder. Returns the oldest deliveries. */
  List<Delivery> first(int most) {
    int count = Math.min(most, size); // Read first: it publishes the links.
    List<Delivery> first = new ArrayList<>(count);
    for (Delivery next = head; next != null && first.size() < count; next = next.next) {
      first.add(next);
    }
    return first;
  }
}
