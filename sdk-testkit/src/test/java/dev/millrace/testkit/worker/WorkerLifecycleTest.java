package dev.millrace.testkit.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.testkit.TestKitException;
import dev.millrace.testkit.worker.WorkerExit.State;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a worker leaves behind: compares the whole JVM before and after, so it runs alone. */
@Isolated
class WorkerLifecycleTest {
  private static final Duration BOUND = Duration.ofSeconds(60);

  @TempDir Path directory;

  /** Hangs for ever, and leaves another thread that does. */
  static final class Hanging implements Worker {
    @Override
    public void run(WorkerContext context) throws Exception {
      new Thread(Hanging::hang).start();
      context.ready();
      hang();
    }

    private static void hang() {
      while (true) {
        try {
          new CountDownLatch(1).await();
        } catch (InterruptedException e) {
          // Hangs on.
        }
      }
    }
  }

  @Test
  void closeLeavesNoProcessNoDirectory() throws IOException {
    Set<Path> directoriesBefore = directories();
    WorkerProcess worker = WorkerProcess.of(Hanging.class).start();
    worker.awaitReady(BOUND);
    assertThat(directories()).hasSize(directoriesBefore.size() + 1);
    worker.kill();
    worker.restart();
    long pid = worker.pid();

    worker.close();
    worker.close();

    assertThat(directories()).isEqualTo(directoriesBefore);
    assertThat(runs(pid)).isFalse();
    assertThat(worker.exit().state()).isEqualTo(State.KILLED);
    assertThatIllegalStateException().isThrownBy(worker::restart).withMessageContaining("closed");
  }

  @Test
  void anInterruptedTestStillClosesIt() throws IOException {
    Set<Path> directoriesBefore = directories();
    WorkerProcess worker = WorkerProcess.of(Hanging.class).start();
    long pid = worker.pid();

    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> worker.awaitReady(BOUND))
        .isInstanceOf(TestKitException.class)
        .hasMessageContaining("interrupted");
    worker.close();

    assertThat(Thread.interrupted()).isTrue();
    assertThat(directories()).isEqualTo(directoriesBefore);
    assertThat(runs(pid)).isFalse();
  }

  @Test
  void aPauseLeavesNoProcess() {
    Set<ProcessHandle> before = children();
    try (WorkerProcess worker = WorkerProcess.of(Hanging.class).start()) {
      worker.awaitReady(BOUND);
      worker.pause();
      worker.pause();
      worker.resume();
      Awaitility.await().atMost(BOUND).until(() -> children().size() == before.size() + 1);
      worker.pause();
    }
    Awaitility.await().atMost(BOUND).until(() -> children().equals(before));
  }

  @Test
  void aStartThatFailsLeavesNothing() throws IOException {
    Set<Path> directoriesBefore = directories();
    Path java = directory.resolve("no-java");

    assertThatThrownBy(() -> WorkerProcess.of(Hanging.class).java(java).start())
        .isInstanceOf(TestKitException.class)
        .hasMessageContaining(java.toString());

    assertThat(directories()).isEqualTo(directoriesBefore);
  }

  @Test
  void theDirectoryThatIsGivenIsKeptAndNotUsedTwice() {
    WorkerBuilder builder = WorkerProcess.of(Hanging.class).name("kept").directory(directory);
    try (WorkerProcess worker = builder.start()) {
      worker.awaitReady(BOUND);
    }

    assertThat(directory.resolve("kept-1").resolve("output.log")).exists();
    assertThatThrownBy(builder::start)
        .isInstanceOf(TestKitException.class)
        .hasMessageContaining(directory.resolve("kept-1").toString());
  }

  /** Starts a worker as a test does, and tells its process id as its own progress. */
  static final class Parent implements Worker {
    @Override
    public void run(WorkerContext context) throws Exception {
      WorkerProcess child =
          WorkerProcess.of(Hanging.class).directory(Path.of(context.argument("directory"))).start();
      child.awaitReady(BOUND);
      if (context.argument("pause").equals("true")) {
        child.pause();
      }
      context.progress(child.pid());
      context.ready();
      context.awaitStop();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void diesWithATestThatIsKilledEvenWhenPaused(boolean pause) {
    try (WorkerProcess parent = parent(pause)) {
      long child = parent.progress();
      assertThat(runs(child)).isTrue();
      parent.kill();
      Awaitility.await().atMost(BOUND).until(() -> !runs(child));
    }
  }

  @Test
  void diesWithATestThatForgetsToCloseIt() {
    try (WorkerProcess parent = parent(false)) {
      long child = parent.progress();
      assertThat(runs(child)).isTrue();
      parent.stop(BOUND);
      Awaitility.await().atMost(BOUND).until(() -> !runs(child));
    }
  }

  private WorkerProcess parent(boolean pause) {
    WorkerProcess parent =
        WorkerProcess.of(Parent.class)
            .argument("directory", directory)
            .argument("pause", pause)
            .start();
    try {
      parent.awaitReady(BOUND);
      return parent;
    } catch (RuntimeException e) {
      parent.close();
      throw e;
    }
  }

  /** One that has ended but that nobody has asked about yet is still listed, without a command. */
  private static boolean runs(long pid) {
    return ProcessHandle.of(pid).flatMap(process -> process.info().command()).isPresent();
  }

  private static Set<ProcessHandle> children() {
    return ProcessHandle.current().children().collect(Collectors.toSet());
  }

  private static Set<Path> directories() throws IOException {
    String ours = "millrace-worker-" + ProcessHandle.current().pid() + "-";
    try (Stream<Path> all = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
      return all.filter(p -> p.getFileName().toString().startsWith(ours))
          .collect(Collectors.toSet());
    }
  }
}
