package dev.millrace.testkit.cluster;

import dev.millrace.testkit.internal.ParentWatch;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Collectors;

/**
 * A test run that never closes what it opened: an embedded Kafka and one in processes, of as many
 * nodes as the second argument says, the last of them paused. The processes' ids are written to the
 * file that is the first argument.
 */
final class OpenCluster {
  private OpenCluster() {}

  public static void main(String[] arguments) throws Exception {
    ParentWatch.start(() -> Runtime.getRuntime().halt(1), Duration.ofSeconds(1));
    int nodes = Integer.parseInt(arguments[1]);
    KafkaCluster processes = KafkaCluster.builder().kind(ClusterKind.PROCESS).nodes(nodes).start();
    KafkaCluster.builder().kind(ClusterKind.EMBEDDED).start();
    processes.node(nodes).pause();
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
