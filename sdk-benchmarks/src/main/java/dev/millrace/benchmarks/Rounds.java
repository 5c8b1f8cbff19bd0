package dev.millrace.benchmarks;

import dev.millrace.testkit.cluster.KafkaCluster;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** All rounds of one workload: in each every contender once, in alternating order. */
final class Rounds {
  private final KafkaCluster kafka;
  private final Workload workload;
  private final Options options;
  private final Report report;

  Rounds(KafkaCluster kafka, Workload workload, Options options, Report report) {
    this.kafka = kafka;
    this.workload = workload;
    this.options = options;
    this.report = report;
  }

  void run() throws IOException, InterruptedException {
    report.begin(workload);
    try (Topics topics = new Topics(kafka, workload)) {
      for (int round = 1; round <= options.rounds(); round++) {
        report.round(round, round(round, topics));
      }
    }
    report.end(options.minShare());
  }

  /** Returns the results in the order of the workload's contenders. */
  private Map<String, RunResult> round(int round, Topics topics)
      throws IOException, InterruptedException {
    List<String> order = new ArrayList<>(workload.contenders());
    if (round % 2 == 0) {
      Collections.reverse(order);
    }
    Map<String, RunResult> byContender = new HashMap<>();
    for (String contender : order) {
      String run = "%s-%d-%s".formatted(workload.name(), round, contender);
      Trial trial =
          new Trial(
              kafka,
              workload,
              contender,
              topics.of(workload.recordsOf(contender), run),
              run,
              options.jvmOptions());
      byContender.put(contender, trial.run());
    }
    Map<String, RunResult> results = new LinkedHashMap<>();
    workload
        .contenders()
        .forEach(name -> results.put(name, Objects.requireNonNull(byContender.get(name))));
    return results;
  }
}
