package dev.millrace.benchmarks;

import dev.millrace.testkit.TestKitException;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.worker.WorkerBuilder;
import dev.millrace.testkit.worker.WorkerExit;
import dev.millrace.testkit.worker.WorkerProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** One run of one contender, in a process of its own. */
final class Trial {
  private static final Duration LONGEST_START = Duration.ofSeconds(60);
  private static final Duration LONGEST_RUN = Duration.ofMinutes(15);

  private final KafkaCluster kafka;
  private final Workload workload;
  private final String contender;
  private final Topic topic;
  private final String group;
  private final List<String> jvmOptions;

  /**
   * @param group new with each run
   */
  Trial(
      KafkaCluster kafka,
      Workload workload,
      String contender,
      Topic topic,
      String group,
      List<String> jvmOptions) {
    this.kafka = kafka;
    this.workload = workload;
    this.contender = contender;
    this.topic = topic;
    this.group = group;
    this.jvmOptions = jvmOptions;
  }

  RunResult run() throws IOException, InterruptedException {
    Path files = Files.createTempDirectory("millrace-benchmark");
    Path result = files.resolve("result.json");
    Path marks = files.resolve("marks");
    try {
      return workload.scenario() == Workload.Scenario.COPY
          ? copy(result, marks)
          : run(result, marks);
    } catch (TestKitException e) {
      return RunResult.invalid(String.valueOf(e.getMessage()));
    } finally {
      Files.deleteIfExists(result);
      Files.deleteIfExists(marks);
      Files.delete(files);
    }
  }

  private RunResult copy(Path result, Path marks) throws IOException, InterruptedException {
    try (Copy copy = new Copy(kafka, workload, copy(), topic.records())) {
      return run(result, marks).with(copy.problems());
    }
  }

  private RunResult run(Path result, Path marks) throws IOException, InterruptedException {
    WorkerBuilder builder =
        WorkerProcess.of(ContenderProcess.class)
            .argument("workload", Json.MAPPER.writeValueAsString(workload))
            .argument("contender", contender)
            .argument("records", topic.records())
            .argument("brokers", kafka.bootstrapServers())
            .argument("topic", topic.name())
            .argument("group", group)
            .argument("copy", copy())
            .argument("result", result)
            .argument("marks", marks)
            .jvmOption("-Xms1g")
            .jvmOption("-Xmx1g");
    jvmOptions.forEach(builder::jvmOption);
    try (WorkerProcess process = builder.start()) {
      process.awaitReady(LONGEST_START);
      switch (workload.scenario()) {
        case LATENCY -> topic.sendPaced();
        case KILL -> killAndRestart(process);
        case THROUGHPUT, BACKOFF, HEAP, COPY, HANDLES -> {}
      }
      WorkerExit exit = process.awaitExit(LONGEST_RUN);
      if (exit.state() != WorkerExit.State.ENDED) {
        return RunResult.invalid(exit + "\n" + process.outputTail());
      }
    }
    RunResult measured = Json.MAPPER.readValue(result.toFile(), RunResult.class);
    return commits() ? measured.with(topic.uncommitted(group)) : measured;
  }

  private boolean commits() {
    return !contender.startsWith("bare") && workload.scenario() != Workload.Scenario.HANDLES;
  }

  private String copy() {
    return group + "-copy";
  }

  private void killAndRestart(WorkerProcess process) throws InterruptedException {
    while (process.progress() == 0 && process.isAlive()) {
      TimeUnit.MILLISECONDS.sleep(5);
    }
    TimeUnit.MILLISECONDS.sleep(workload.killAfterMillis());
    process.kill();
    process.restart();
  }
}
