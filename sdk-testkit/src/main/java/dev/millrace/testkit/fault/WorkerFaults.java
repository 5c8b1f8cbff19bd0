package dev.millrace.testkit.fault;

import dev.millrace.testkit.worker.WorkerProcess;
import java.time.Duration;
import java.util.function.LongSupplier;

/** Faults of workers. */
public final class WorkerFaults {
  private WorkerFaults() {}

  /**
   * SIGKILL, healed by a new life. Witnessed by a process that ran and is gone, so a worker that
   * had ended already is no fault.
   *
   * @param ready what the new life may take until it is {@linkplain WorkerProcess#awaitReady ready}
   */
  public static Fault kill(WorkerProcess worker, Duration ready) {
    return new Fault(
        "SIGKILL of worker '" + worker.name() + "'",
        worker::kill,
        () -> {
          if (!worker.isAlive()) {
            worker.restart();
          }
          worker.awaitReady(ready);
        },
        () -> worker.isAlive() ? 0 : 1);
  }

  /**
   * SIGSTOP, healed by SIGCONT.
   *
   * @param witness what shows that others took the worker for gone, such as the rebalances of its
   *     group; a process that stands still shows nothing of it by itself
   */
  public static Fault pause(WorkerProcess worker, LongSupplier witness) {
    return new Fault(
        "SIGSTOP of worker '" + worker.name() + "'", worker::pause, worker::resume, witness);
  }
}
