package dev.millrace.benchmarks;

import dev.millrace.testkit.cluster.ClusterKind;
import dev.millrace.testkit.cluster.KafkaCluster;
import java.util.List;

/**
 * Runs workloads and prints what they show. Ratios are those within a round, and the last lines of
 * a workload the medians of its rounds. Arguments: see {@link Options#parse}.
 *
 * <p>Exits with 1 when a run lost, repeated or mixed up records, did not commit all offsets, or
 * when Millrace stays below {@code min-share}.
 */
public final class Benchmarks {
  private Benchmarks() {}

  /** Runs what the arguments ask for. */
  public static void main(String[] arguments) throws Exception {
    Options options = Options.parse(arguments);
    Report report = new Report(System.out);
    try (KafkaCluster kafka = broker()) {
      for (Workload workload : options.workloads()) {
        if (workload.isVirtual() && Runtime.version().feature() < 21) {
          System.out.printf("%n%s needs virtual threads, so Java 21%n", workload.name());
        } else {
          new Rounds(kafka, workload, options, report).run();
        }
      }
    }
    List<String> failures = report.failures();
    failures.forEach(System.out::println);
    System.exit(failures.isEmpty() ? 0 : 1);
  }

  /** The kit's brokers are set up to start quickly; this one has to be quick later. */
  private static KafkaCluster broker() {
    return KafkaCluster.builder()
        .kind(ClusterKind.PROCESS)
        .jvmOptions("-Xmx1g", "-XX:TieredStopAtLevel=4")
        .start();
  }
}
