package dev.millrace.internal.channel;

import java.util.OptionalInt;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/**
 * The channel between the poll thread and the workers: deliveries in lanes, and the lanes that are
 * ready in a queue.
 *
 * <p>A lane is ready while its head waits for a worker. A worker may park the lane instead of
 * ending the head: then somebody owes exactly one {@link #resume} or {@link #finish} for it, from
 * any thread, and the worker goes on with other lanes. Whoever holds a lane to work on it also
 * holds a permit.
 */
public final class LaneScheduler implements Parking {
  private final Confinement confinement = new Confinement("The lane table");
  private final LaneTable lanes;
  private final ConcurrentLinkedQueue<Lane> ready = new ConcurrentLinkedQueue<>();
  private final InFlight inFlight;
  private final PollThreadSignal signal;
  private final Permits permits;
  private Runnable readyListener = () -> {};

  /** A channel whose lanes may rest. */
  public LaneScheduler(int capacity, PollThreadSignal signal, Permits permits) {
    this(capacity, signal, permits, true);
  }

  /**
   * @param capacity the most records in flight; sizes the lane table
   * @param signal raised whenever a delivery ends, or a lane comes to rest
   * @param lanesRest whether what a lane holds takes no room while it waits for its head's next
   *     attempt
   */
  public LaneScheduler(int capacity, PollThreadSignal signal, Permits permits, boolean lanesRest) {
    this.inFlight = new InFlight(lanesRest, signal::raise);
    this.lanes = new LaneTable(capacity, inFlight);
    this.signal = signal;
    this.permits = permits;
  }

  /**
   * Set once, before the first offer: called when a lane became ready outside {@link #offer}, or a
   * permit became free.
   */
  public void onReady(Runnable listener) {
    readyListener = listener;
  }

  public InFlight inFlight() {
    return inFlight;
  }

  /** Poll thread. Queues the delivery behind all earlier ones of its tag; wakes nobody. */
  public void offer(Delivery delivery, long tag) {
    confinement.check();
    Lane lane = lanes.laneOf(tag);
    // In the very moment in which the lane comes to rest, or goes on, this one may count on the
    // other side. It is taken from where it counts, and moved with all others the next time.
    inFlight.add(delivery, lane.isResting());
    if (lane.offer(delivery) || lane.completesBatch()) {
      ready.add(lane);
    }
  }

  /** Makes a parked delivery's lane ready, with the same delivery at its head. Any thread. */
  @Override
  public void resume(Delivery delivery) {
    makeReady(delivery.laneOfIt());
  }

  /** Ends a parked delivery; its lane goes on with the next one. Any thread. */
  @Override
  public void finish(Delivery delivery) {
    Lane lane = delivery.laneOfIt();
    if (end(lane)) {
      makeReady(lane);
    }
  }

  /** The work of a handler that had left its worker has ended. Any thread. */
  public void giveBackPermit() {
    permits.giveBack();
    readyListener.run();
  }

  /**
   * Worker. Takes a ready lane and a permit; null when there is no lane, or no permit.
   *
   * <p>A permit that finds no lane is given back. Meanwhile others may have missed it; so whoever
   * gets null looks at {@link #hasReady} once more before it rests.
   */
  public @Nullable Lane take() {
    if (!permits.take()) {
      return null;
    }
    Lane lane = ready.poll();
    if (lane == null) {
      permits.giveBack();
    }
    return lane;
  }

  /** Returns whether {@link #take} may find something. Any thread. */
  public boolean hasReady() {
    return !ready.isEmpty() && permits.isFree();
  }

  /**
   * Worker, with a lane and a permit. Works on the lane's head.
   *
   * @return whether the worker still has both; if not, they are somebody else's
   */
  public boolean workOn(Lane lane, DeliveryProcessor processor) {
    DeliveryProcessor.Progress progress = processor.process(lane.head());
    if (progress == DeliveryProcessor.Progress.ENDED && end(lane)) {
      return true;
    }
    if (progress != DeliveryProcessor.Progress.RUNNING) {
      permits.giveBack();
    }
    return false;
  }

  /** Worker. Gives up a lane that still has deliveries, behind the other ready ones. */
  public void giveBack(Lane lane) {
    ready.add(lane);
    permits.giveBack();
  }

  /** Returns how many permits are used, or empty where threads are the permits. Any thread. */
  public OptionalInt usedPermits() {
    return permits.areThreads() ? OptionalInt.empty() : OptionalInt.of(permits.used());
  }

  /** Holder of the lane. Ends its head; false when the lane is now idle and no longer held. */
  private boolean end(Lane lane) {
    boolean more = lane.advance();
    signal.raise();
    return more;
  }

  /** A delivery has ended. Any thread. */
  void ended() {
    signal.raise();
  }

  /** Holder of the lane, which gives it up. */
  void makeReady(Lane lane) {
    lane.goOn();
    ready.add(lane);
    readyListener.run();
  }
}
