package dev.millrace.testkit.worker;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/** The parent's wish that the worker ends, and what is to run when it comes. Thread-safe. */
final class StopSignal {
  private final CountDownLatch requested = new CountDownLatch(1);

  /** Guarded by this. */
  private final List<Runnable> actions = new ArrayList<>();

  boolean isRequested() {
    return requested.getCount() == 0;
  }

  void await() throws InterruptedException {
    requested.await();
  }

  /** Runs the action on request: in the requester's thread, or here if that has been before. */
  void onRequest(Runnable action) {
    synchronized (this) {
      if (!isRequested()) {
        actions.add(action);
        return;
      }
    }
    action.run();
  }

  void request() {
    List<Runnable> due;
    synchronized (this) {
      requested.countDown();
      due = List.copyOf(actions);
      actions.clear();
    }
    due.forEach(Runnable::run);
  }
}
