package dev.millrace.internal.consumer;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.TimeUnit;

/** A thread beside the poll thread, of which each call is a step; while a call waits, none is. */
final class SimThread extends AbstractExecutorService {
  private final Deque<Runnable> calls = new ArrayDeque<>();
  private final boolean takesCalls;
  private boolean busy;
  private boolean shutdown;

  /**
   * @param takesCalls false when all calls are forgotten
   */
  SimThread(boolean takesCalls) {
    this.takesCalls = takesCalls;
  }

  boolean isIdle() {
    return calls.isEmpty() && !busy;
  }

  boolean canStep() {
    return !calls.isEmpty() && !busy;
  }

  void step() {
    busy = true;
    try {
      calls.remove().run();
    } finally {
      busy = false;
    }
  }

  @Override
  public void execute(Runnable call) {
    if (takesCalls && !shutdown) {
      calls.add(call);
    }
  }

  @Override
  public void shutdown() {
    shutdown = true;
  }

  @Override
  public List<Runnable> shutdownNow() {
    List<Runnable> left = List.copyOf(calls);
    calls.clear();
    shutdown = true;
    return left;
  }

  /** It takes no time for what is left. */
  @Override
  public boolean awaitTermination(long timeout, TimeUnit unit) {
    while (canStep()) {
      step();
    }
    return isIdle();
  }

  @Override
  public boolean isShutdown() {
    return shutdown;
  }

  @Override
  public boolean isTerminated() {
    return shutdown && isIdle();
  }
}
