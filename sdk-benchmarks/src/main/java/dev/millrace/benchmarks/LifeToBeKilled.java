package dev.millrace.benchmarks;

import dev.millrace.testkit.worker.WorkerContext;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Marks what it begins and handles until the process is killed; each record is progress. */
final class LifeToBeKilled implements Measurement {
  private static final int LOOK_MILLIS = 5;

  private final Workload workload;
  private final Marks marks;
  private final WorkerContext context;

  LifeToBeKilled(Workload workload, Marks marks, WorkerContext context) {
    this.workload = workload;
    this.marks = marks;
    this.context = context;
  }

  @Override
  public boolean isStuck() {
    return workload.stuck();
  }

  @Override
  public void started(int sequence) {
    marks.mark(sequence, Marks.BEGUN);
  }

  @Override
  public void handled(int sequence, byte[] value) {
    marks.handled(sequence, System.nanoTime());
    context.progress(1);
  }

  /** What is in flight is told again and again: what the process knows dies with it. */
  @Override
  public Map<String, Double> measure(Handling handling, Contender.Running running)
      throws InterruptedException {
    while (!context.stopRequested()) {
      marks.inFlight(running.inFlight());
      TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
    }
    return Map.of();
  }

  @Override
  public String problems(Handling handling) {
    return "was not killed";
  }
}
