package dev.millrace.benchmarks;

import dev.millrace.testkit.worker.Worker;
import dev.millrace.testkit.worker.WorkerContext;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Runs one contender once in a JVM of its own, and leaves a line of JSON. */
final class ContenderProcess implements Worker {
  @Override
  public void run(WorkerContext context) throws Exception {
    Workload workload = Json.MAPPER.readValue(context.argument("workload"), Workload.class);
    int records = Integer.parseInt(context.argument("records"));
    Contender.Source source =
        new Contender.Source(
            context.argument("brokers"),
            context.argument("topic"),
            context.argument("group"),
            context.argument("copy"));
    Measurement measurement = Measurement.of(workload, records, source, context);
    Handling handling = new Handling(workload, records, measurement.isStuck(), measurement);
    Contender.Running running =
        Contender.named(context.argument("contender")).start(workload, source, handling);
    context.ready();
    Map<String, Double> figures = measurement.measure(handling, running);
    running.end();
    RunResult result =
        new RunResult(figures, List.of(handling.problems(), measurement.problems(handling)));
    Files.writeString(
        Path.of(context.argument("result")), Json.MAPPER.writeValueAsString(result) + "\n");
  }
}
