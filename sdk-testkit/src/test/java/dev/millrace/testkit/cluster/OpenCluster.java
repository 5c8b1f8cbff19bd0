package dev.millrace.testkit.cluster;

import dev.millrace.testkit.internal.ParentWatch;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Collectors;

/**
 * A test run that leaves a Kafka open: one node pauses, all processes' ids are written to the file
 * that is the argument, and nothing is ever closed.
 */
final class OpenCluster {
  private OpenCluster() {}

  public static void main(String[] arguments) throws Exception {
    ParentWatch.start(() -> Runtime.getRuntime().halt(1), Duration.ofSeconds(1));
    KafkaCluster processes = KafkaCluster.builder().kind(ClusterKind.PROCESS).nodes(2).start();
    KafkaCluster.builder().kind(ClusterKind.EMBEDDED).start();
    processes.node(2).pause();
    String pids =
        ProcessHandle.current()
            .children()
            .map(child -> Long.toString(child.pid()))
            .collect(Collectors.joining(","));
    Path told = Path.of(arguments[0]);
    Path draft = told.resolveSibling("draft");
    Files.writeString(draft, pids);
    Files.move(draft, told);
    new CountDownLatch(1).await();
  }
}
