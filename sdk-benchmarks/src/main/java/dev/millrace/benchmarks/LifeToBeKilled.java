package dev.millrace.benchmarks;

import dev.millrace.testkit.worker.WorkerContext;
import java.util.Map;

/** Marks what it handles until the process is killed; the first record is its progress. */
final class LifeToBeKilled implements Measurement {
  static final int NUMBER = 1;

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
  public void handled(int sequence, byte[] value) {
    marks.mark(sequence, NUMBER);
    context.progress(1);
  }

  @Override
  public Map<String, Double> measure(Handling handling) throws InterruptedException {
    context.awaitStop();
    return Map.of();
  }

  @Override
  public String problems(Handling handling) {
    return "was not killed";
  }
}
