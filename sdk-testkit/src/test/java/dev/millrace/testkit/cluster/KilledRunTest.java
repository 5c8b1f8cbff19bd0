package dev.millrace.testkit.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.testkit.internal.ChildJvm;
import dev.millrace.testkit.internal.ParentWatch;
import dev.millrace.testkit.internal.TempDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is left of a run that could not close its Kafka. */
class KilledRunTest {
  private static final Duration LONG = Duration.ofMinutes(2);

  @TempDir private Path folder;

  @Test
  void aRunThatIsToldToEndLeavesNothing() throws Exception {
    try (ChildJvm run = run(1)) {
      List<ProcessHandle> started = started(run, 2);
      assertThat(directories(run)).hasSize(2);

      ProcessHandle.of(run.pid()).orElseThrow().destroy();

      assertThat(run.awaitExit(LONG)).isTrue();
      assertThat(started).noneMatch(ProcessHandle::isAlive);
      assertThat(directories(run)).isEmpty();
    }
  }

  @Test
  void aRunThatIsKilledLeavesNoProcessAndTheNextOneSweepsItsDirectories() throws Exception {
    try (ChildJvm run = run(2)) {
      List<ProcessHandle> started = started(run, 3);

      run.kill();

      Awaitility.await()
          .atMost(LONG)
          .until(() -> started.stream().noneMatch(ProcessHandle::isAlive));
      assertThat(directories(run)).hasSize(2);
      sweep();
      assertThat(directories(run)).isEmpty();
    }
  }

  private ChildJvm run(int nodes) {
    return start(OpenCluster.class, told().toString(), Integer.toString(nodes));
  }

  /** What the next run begins with. */
  private void sweep() {
    try (ChildJvm next = start(Sweep.class)) {
      assertThat(next.awaitExit(LONG)).isTrue();
      assertThat(next.exitValue()).as(next.outputTail()).isZero();
    }
  }

  static final class Sweep {
    public static void main(String[] arguments) {
      ParentWatch.start(() -> {}, Duration.ofSeconds(1));
      new TempDirectory("millrace-next").close();
    }
  }

  /** With a temporary directory of the test's own: tests of others sweep the machine's. */
  private ChildJvm start(Class<?> main, String... arguments) {
    return ChildJvm.start(
        "a test run",
        main,
        List.of(
            "-Djava.io.tmpdir=" + folder,
            "-Xmx512m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-XX:-UsePerfData"),
        List.of(arguments),
        Map.of(),
        folder.resolve("output.log"));
  }

  private Set<Path> directories(ChildJvm run) throws IOException {
    return Directories.of(run.pid(), folder);
  }

  /** The processes it has started, brokers and what watches over the paused one. */
  private List<ProcessHandle> started(ChildJvm run, int count) throws Exception {
    Awaitility.await()
        .atMost(LONG)
        .conditionEvaluationListener(
            look -> assertThat(run.isAlive()).as(run.outputTail()).isTrue())
        .until(() -> Files.exists(told()));
    List<ProcessHandle> started =
        Arrays.stream(Files.readString(told()).split(",", -1))
            .map(pid -> ProcessHandle.of(Long.parseLong(pid)))
            .flatMap(Optional::stream)
            .toList();
    assertThat(started).as(run.outputTail()).hasSize(count);
    return started;
  }

  private Path told() {
    return folder.resolve("told");
  }
}
