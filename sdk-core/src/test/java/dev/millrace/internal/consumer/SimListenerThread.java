package dev.millrace.internal.consumer;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.TimeUnit;

/** The listener's thread, of which each call is a step. */
final class SimListenerThread extends AbstractExecutorService {
  private final Deque<Runnable> calls = new ArrayDeque<>();
  private final SimBug bug;
  private boolean shutdown;

  SimListenerThread(SimBug bug) {
    this.bug = bug;
  }

  boolean isIdle() {
    return calls.isEmpty();
  }

  void step() {
    calls.remove().run();
  }

  @Override
  public void execute(Runnable call) {
    if (bug.tellsListener()) {
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
    while (!calls.isEmpty()) {
      step();
    }
    return true;
  }

  @Override
  public boolean isShutdown() {
    return shutdown;
  }

  @Override
  public boolean isTerminated() {
    return shutdown && calls.isEmpty();
  }
}
