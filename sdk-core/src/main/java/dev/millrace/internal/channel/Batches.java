package dev.millrace.internal.channel;

import dev.millrace.internal.channel.DeliveryProcessor.Progress;
import dev.millrace.internal.time.DelayTimer;
import dev.millrace.internal.time.EngineClock;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Works lanes off in batches: who has a lane's head gets what stands first in it, to be worked on
 * in rounds until all of that has ended.
 *
 * <p>A delivery of a batch may end while older ones of it have not. It leaves the channel at once,
 * but keeps its place in the lane; a head that has ended is {@link Progress#ENDED}.
 */
public final class Batches implements Parking {
  private final LaneScheduler scheduler;
  private final Gathering gathering;
  private final int most;
  private final long waitNanos;

  /**
   * @param most the most deliveries of a batch
   * @param waitNanos how long after the poll of its first delivery a batch waits for more
   */
  public Batches(
      LaneScheduler scheduler, EngineClock clock, DelayTimer timer, int most, long waitNanos) {
    this.scheduler = scheduler;
    this.gathering = new Gathering(clock, timer, scheduler::makeReady);
    this.most = most;
    this.waitNanos = waitNanos;
  }

  /**
   * Worker, with a head that has not ended. Begins a round with what is to be worked on now, the
   * tickets claimed. For each delivery of it, {@link #resume} or {@link #finish} is to be called
   * once, by whatever thread, and {@link #endRound} by the worker.
   *
   * @return null when the lane waits for more deliveries: it is parked
   */
  public @Nullable List<Delivery> beginRound(Delivery head) {
    Lane lane = head.laneOfIt();
    LaneBatch batch = lane.batch;
    if (batch == null) {
      batch = new LaneBatch(lane, gathering, most, head.queuedNanos() + waitNanos);
      lane.batch = batch;
      if (gathering.await(batch)) {
        return null;
      }
    }
    return batch.begin();
  }

  /** Worker. Returns where the lane stands that it began a round with. */
  public Progress endRound(Delivery head) {
    Lane lane = head.laneOfIt();
    if (!batchOf(lane).endOfWork()) {
      return Progress.PARKED;
    }
    if (head.hasEnded()) {
      return Progress.ENDED;
    }
    scheduler.makeReady(lane);
    return Progress.PARKED;
  }

  @Override
  public void resume(Delivery delivery) {
    end(delivery, delivery.laneOfIt());
  }

  @Override
  public void finish(Delivery delivery) {
    Lane lane = delivery.laneOfIt();
    lane.letGo(delivery);
    scheduler.ended();
    end(delivery, lane);
  }

  /** Hands over as they are all batches that wait for more deliveries. Any thread. */
  public void stopWaiting() {
    gathering.completeAll();
  }

  private void end(Delivery delivery, Lane lane) {
    if (batchOf(lane).end(delivery)) {
      scheduler.makeReady(lane);
    }
  }

  private static LaneBatch batchOf(Lane lane) {
    LaneBatch batch = lane.batch;
    if (batch == null) {
      throw new IllegalStateException("The lane is in no round.");
    }
    return batch;
  }
}
