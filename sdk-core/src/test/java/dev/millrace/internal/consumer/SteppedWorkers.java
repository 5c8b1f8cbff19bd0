package dev.millrace.internal.consumer;

import dev.millrace.internal.channel.DeliveryProcessor;
import dev.millrace.internal.channel.Lane;
import dev.millrace.internal.channel.LaneScheduler;
import dev.millrace.internal.channel.Workers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * The workers of a pool without their threads: each step is one that a worker's thread makes
 * between two moments at which others may see it. They sleep and are woken as in the pool.
 */
final class SteppedWorkers implements Workers {
  private static final class Worker {
    boolean awake;
    @Nullable Lane lane;
  }

  private final LaneScheduler scheduler;
  private final DeliveryProcessor processor;
  private final List<Worker> workers = new ArrayList<>();
  private boolean stopped;

  SteppedWorkers(int count, LaneScheduler scheduler, DeliveryProcessor processor) {
    this.scheduler = scheduler;
    this.processor = processor;
    for (int i = 0; i < count; i++) {
      workers.add(new Worker());
    }
    scheduler.onReady(this::wakeOne);
  }

  boolean canStep() {
    if (!stopped) {
      for (Worker worker : workers) {
        if (worker.awake) {
          return true;
        }
      }
    }
    return false;
  }

  /** Has one of those that are awake make a step. */
  void step(Random random) {
    Worker worker = workers.get(random.nextInt(workers.size()));
    while (!worker.awake) {
      worker = workers.get(random.nextInt(workers.size()));
    }
    Lane lane = worker.lane;
    if (lane == null) {
      takeLane(worker);
    } else if (!scheduler.workOn(lane, processor)) {
      worker.lane = null;
    } else if (random.nextInt(3) == 0 && scheduler.hasReady()) {
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
    return scheduler.usedPermits().orElseThrow();
  }

  @Override
  public boolean isWorkerThread() {
    return false;
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
