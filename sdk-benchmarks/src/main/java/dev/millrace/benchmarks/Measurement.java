package dev.millrace.benchmarks;

import dev.millrace.testkit.worker.WorkerContext;
import java.nio.file.Path;
import java.util.Map;

/** What is looked at while a contender runs, in its process. */
interface Measurement extends Handling.Listener {

  /** Whether the handler does not return from the first record of each partition. */
  default boolean isStuck() {
    return false;
  }

  /** Returns when all has been handled, with figures by their names, in the order to be shown. */
  Map<String, Double> measure(Handling handling, Contender.Running running) throws Exception;

  /** Returns what is wrong, once the consumer is closed; empty when nothing is. */
  String problems(Handling handling);

  static Measurement of(
      Workload workload, int records, Contender.Source source, WorkerContext context)
      throws Exception {
    return switch (workload.scenario()) {
      case THROUGHPUT -> new Throughput(workload, records, () -> {});
      case COPY -> new Throughput(workload, records, new LastCommit(source, records));
      case BACKOFF -> new ThroughputBesideRest(workload, records);
      case HANDLES -> new HandleCost(workload);
      case LATENCY -> new Latency(workload, records);
      case HEAP -> new Heap(workload);
      case KILL -> {
        Marks marks = new Marks(Path.of(context.argument("marks")), records);
        yield context.life() == 1
            ? new LifeToBeKilled(workload, marks, context)
            : new LifeAfterKill(workload, marks);
      }
    };
  }

  /** What holds where each record is to be handled once. */
  static String eachOnce(Handling handling) {
    long handled = handling.handled();
    return handled == handling.records()
        ? ""
        : "%,d records were handled, of %,d".formatted(handled, handling.records());
  }
}
