package dev.millrace.internal.channel;

import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/**
 * The channel between the poll thread and the workers: deliveries in lanes, and the lanes that are
 * ready in a queue.
 *
 * <p>A lane is ready while its head waits for a worker. A worker may park the lane instead of
 * ending the head: then somebody owes exactly one {@link #resume} or {@link #finish} for it, from
 * any thread, and the worker goes on with other lanes.
 */
public final class LaneScheduler {
  private final Confinement confinement = new Confinement("The lane table");
  private final LaneTable lanes;
  private final ConcurrentLinkedQueue<Lane> ready = new ConcurrentLinkedQueue<>();
  private final InFlight inFlight = new InFlight();
  private final PollThreadSignal signal;
  private Runnable readyListener = () -> {};

  /**
   * @param capacity the most records in flight; sizes the lane table
   * @param signal raised whenever a delivery ends
   */
  public LaneScheduler(int capacity, PollThreadSignal signal) {
    this.lanes = new LaneTable(capacity, inFlight);
    this.signal = signal;
  }

  /** Set once, before the first offer: called when a lane became ready outside {@link #offer}. */
  void onReady(Runnable listener) {
    readyListener = listener;
  }

  public InFlight inFlight() {
    return inFlight;
  }

  /** Poll thread. Queues the delivery behind all earlier ones of its tag; wakes nobody. */
  public void offer(Delivery delivery, long tag) {
    confinement.check();
    inFlight.add(delivery);
    Lane lane = lanes.laneOf(tag);
    if (lane.offer(delivery)) {
      ready.add(lane);
    }
  }

  /** Makes a parked delivery's lane ready, with the same delivery at its head. Any thread. */
  public void resume(Delivery delivery) {
    makeReady(laneOf(delivery));
  }

  /** Ends a parked delivery; its lane goes on with the next one. Any thread. */
  public void finish(Delivery delivery) {
    Lane lane = laneOf(delivery);
    if (end(lane)) {
      makeReady(lane);
    }
  }

  /** Worker. Takes a ready lane, or null. */
  @Nullable Lane take() {
    return ready.poll();
  }

  /** Worker. Gives a lane back that still has deliveries, behind the other ready ones. */
  void giveBack(Lane lane) {
    ready.add(lane);
  }

  boolean hasReady() {
    return !ready.isEmpty();
  }

  /** Holder of the lane. Ends its head; false when the lane is now idle and no longer held. */
  boolean end(Lane lane) {
    boolean more = lane.advance();
    signal.raise();
    return more;
  }

  private void makeReady(Lane lane) {
    ready.add(lane);
    readyListener.run();
  }

  private static Lane laneOf(Delivery delivery) {
    Lane lane = delivery.lane;
    if (lane == null) {
      throw new IllegalStateException("The delivery was never offered.");
    }
    return lane;
  }
}
