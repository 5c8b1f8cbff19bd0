package dev.millrace.internal.channel;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The threads that work on lanes, each started when first needed.
 *
 * <p>A wake-up costs microseconds, and the thread that comes takes the processor from another, so
 * as few as possible are made: the poll thread wakes one worker for a whole batch, and a worker
 * that finds more than it takes wakes the next, unless one is on its way already. So handlers that
 * return at once are left to one or two workers, and those that wait get all. The last to fall
 * asleep is the first to wake, for its caches are warm.
 *
 * <p>Invariant: while a lane is ready and a permit free, a worker is awake or all have work. A
 * worker that goes to sleep first lies down among the sleepers, then looks at the ready queue once
 * more; who makes a lane ready first queues it, then looks at the sleepers. A worker that was woken
 * first says that it has come, then looks at the ready queue, and wakes the next if it finds more.
 */
public final class WorkerPool implements Workers {
  /** How long a lane may keep its worker while other lanes are ready. */
  private static final long TURN_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

  private final LaneScheduler scheduler;
  private final DeliveryProcessor processor;
  private final Consumer<Throwable> onBug;
  private final ThreadFactory threads;
  private final int most;

  private final ReentrantLock lock = new ReentrantLock();
  // Written under the lock.
  private final ArrayDeque<Worker> sleepers = new ArrayDeque<>();
  private final List<Worker> workers = new ArrayList<>();
  private volatile boolean someCanWake = true;
  private volatile boolean stopped;

  /** Whether a worker was woken, or started, and has not yet looked at the ready queue. */
  private volatile boolean waking;

  /**
   * @param most the most threads
   * @param onBug told of what a processor threw, which it never should
   */
  public WorkerPool(
      int most,
      ThreadFactory threads,
      LaneScheduler scheduler,
      DeliveryProcessor processor,
      Consumer<Throwable> onBug) {
    this.most = most;
    this.threads = threads;
    this.scheduler = scheduler;
    this.processor = processor;
    this.onBug = onBug;
    scheduler.onReady(this::wakeOne);
  }

  /** Wakes or starts a worker if there is something to do. Any thread. */
  @Override
  public void wakeOne() {
    if (waking || !someCanWake || !scheduler.hasReady()) {
      return;
    }
    Worker woken;
    Throwable noThread = null;
    lock.lock();
    try {
      if (stopped || waking) {
        return;
      }
      woken = sleepers.poll();
      if (woken != null) {
        // Under the lock: set later, it could end the sleeper's next sleep instead of this one.
        woken.woken = true;
        waking = true;
      } else if (workers.size() < most) {
        waking = true;
        noThread = startOne();
      }
      someCanWake = !sleepers.isEmpty() || workers.size() < most;
    } finally {
      lock.unlock();
    }
    if (woken != null) {
      LockSupport.unpark(woken.thread);
    }
    if (noThread != null) {
      // Told, not thrown: whoever calls may be a thread that swallows it.
      onBug.accept(noThread);
    }
  }

  /** Under the lock. A worker whose thread can't be made or started must hold no permit. */
  private @Nullable Throwable startOne() {
    try {
      Worker worker = new Worker();
      worker.thread.start();
      workers.add(worker);
      return null;
    } catch (Throwable noThread) {
      waking = false;
      return noThread;
    }
  }

  @Override
  public int busy() {
    return scheduler.usedPermits().orElseGet(this::awake);
  }

  private int awake() {
    lock.lock();
    try {
      return workers.size() - sleepers.size();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public boolean isWorker(Thread thread) {
    lock.lock();
    try {
      return workers.stream().anyMatch(worker -> worker.thread == thread);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void stop() {
    List<Worker> all;
    lock.lock();
    try {
      stopped = true;
      sleepers.clear();
      all = List.copyOf(workers);
    } finally {
      lock.unlock();
    }
    all.forEach(worker -> LockSupport.unpark(worker.thread));
  }

  @Override
  public void interrupt() {
    for (Worker worker : snapshot()) {
      worker.thread.interrupt();
    }
  }

  @Override
  public List<Thread> awaitEnd(Duration timeout) {
    long deadline = System.nanoTime() + timeout.toNanos();
    boolean interrupted = false;
    List<Thread> alive = new ArrayList<>();
    for (Worker worker : snapshot()) {
      long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
      try {
        if (!interrupted && left > 0) {
          worker.thread.join(left);
        }
      } catch (InterruptedException e) {
        interrupted = true;
      }
      if (worker.thread.isAlive()) {
        alive.add(worker.thread);
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return alive;
  }

  private List<Worker> snapshot() {
    lock.lock();
    try {
      return List.copyOf(workers);
    } finally {
      lock.unlock();
    }
  }

  private final class Worker implements Runnable {
    final Thread thread = threads.newThread(this);
    private volatile boolean woken = true;

    @Override
    public void run() {
      try {
        while (!stopped) {
          arrive();
          Lane lane = scheduler.take();
          if (lane == null) {
            sleep();
          } else {
            wakeOne();
            work(lane);
          }
        }
      } catch (Throwable bug) {
        onBug.accept(bug);
      }
    }

    /** Before it looks at the ready queue: who still saw it waking has queued its lane by then. */
    private void arrive() {
      if (woken) {
        woken = false;
        waking = false;
      }
    }

    private void work(Lane lane) {
      if (!scheduler.workOn(lane, processor)) {
        return; // As mostly: then nobody needs to know the time.
      }
      long turnEnd = System.nanoTime() + TURN_NANOS;
      do {
        if (stopped || (System.nanoTime() - turnEnd > 0 && scheduler.hasReady())) {
          scheduler.giveBack(lane);
          return;
        }
      } while (scheduler.workOn(lane, processor));
    }

    private void sleep() {
      lock.lock();
      try {
        sleepers.push(this);
        someCanWake = true;
      } finally {
        lock.unlock();
      }
      if (scheduler.hasReady()) {
        standUp();
        return;
      }
      while (!woken && !stopped) {
        LockSupport.park(this);
        // A handler may leave its interrupt flag behind; with it set, park would not wait.
        Thread.interrupted();
      }
    }

    /** Leaves the sleepers by itself, unless somebody has just woken it. */
    private void standUp() {
      lock.lock();
      try {
        sleepers.remove(this);
        someCanWake = !sleepers.isEmpty() || workers.size() < most;
      } finally {
        lock.unlock();
      }
    }
  }
}
