package dev.millrace.internal.channel;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The workers of a pool without their threads: each step is one that a worker's thread makes
 * between two moments at which others may see it. They sleep and are woken as in the pool. One
 * thread.
 */
public final class SteppedWorkers implements Workers {
  /** A lane loses its worker about once in so many deliveries, when others are ready. */
  private static final int DELIVERIES_A_TURN = 3;

  private static final class Worker {
    boolean awake;
    @Nullable Lane lane;
  }

  private final LaneScheduler scheduler;
  private final DeliveryProcessor processor;
  private final List<Worker> workers = new ArrayList<>();
  private boolean stopped;

  /**
   * @param count how many workers; where they are the permits, so many records are in their
   *     handlers at most
   */
  public SteppedWorkers(int count, LaneScheduler scheduler, DeliveryProcessor processor) {
    this.scheduler = scheduler;
    this.processor = processor;
    for (int i = 0; i < count; i++) {
      workers.add(new Worker());
    }
    scheduler.onReady(this::wakeOne);
  }

  /** Returns whether one of them is awake. */
  public boolean canStep() {
    return !stopped && awake() > 0;
  }

  /**
   * Has one of those that are awake make a step; there must be one. What the processor throws comes
   * out of here.
   *
   * @param choice given n, answers which of n possibilities it shall be, from 0
   */
  public void step(IntUnaryOperator choice) {
    Worker worker = awake(choice.applyAsInt(awake()));
    Lane lane = worker.lane;
    if (lane == null) {
      takeLane(worker);
    } else if (!scheduler.workOn(lane, processor)) {
      worker.lane = null;
    } else if (choice.applyAsInt(DELIVERIES_A_TURN) == 0 && scheduler.hasReady()) {
      worker.lane = null;
      scheduler.giveBack(lane);
    }
  }

  private void takeLane(Worker worker) {
    Lane taken = scheduler.take();
    worker.lane = taken;
    if (taken == null) {
      worker.awake = scheduler.hasReady();
    } else {
      wakeOne();
    }
  }

  private int awake() {
    int awake = 0;
    for (Worker worker : workers) {
      awake += worker.awake ? 1 : 0;
    }
    return awake;
  }

  private int working() {
    int working = 0;
    for (Worker worker : workers) {
      working += worker.lane == null ? 0 : 1;
    }
    return working;
  }

  private Worker awake(int index) {
    return workers.stream().filter(worker -> worker.awake).skip(index).findFirst().orElseThrow();
  }

  @Override
  public void wakeOne() {
    if (!stopped && scheduler.hasReady()) {
      for (Worker worker : workers) {
        if (!worker.awake) {
          worker.awake = true;
          return;
        }
      }
    }
  }

  @Override
  public int busy() {
    return scheduler.usedPermits().orElseGet(this::working);
  }

  /** All is one thread. */
  @Override
  public boolean isWorker(Thread thread) {
    return true;
  }

  @Override
  public void stop() {
    stopped = true;
    for (Worker worker : workers) {
      if (worker.lane != null) {
        scheduler.giveBack(worker.lane);
        worker.lane = null;
      }
    }
  }

  @Override
  public void interrupt() {}

  @Override
  public List<Thread> awaitEnd(Duration timeout) {
    return List.of();
  }
}
