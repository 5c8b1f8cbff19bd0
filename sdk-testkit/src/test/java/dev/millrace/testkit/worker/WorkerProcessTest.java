package dev.millrace.testkit.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.testkit.TestKitException;
import dev.millrace.testkit.internal.ChildJvm;
import dev.millrace.testkit.worker.WorkerExit.State;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WorkerProcessTest {
  private static final Duration BOUND = Duration.ofSeconds(60);

  @TempDir Path directory;

  /** Counts until it is told to stop. */
  static final class Counting implements Worker {
    @Override
    public void run(WorkerContext context) {
      context.onStop(() -> Journal.add(context.historyFile(), "asked"));
      context.ready();
      for (long count = 1; !context.stopRequested(); count++) {
        context.progress(count);
      }
      Journal.add(context.historyFile(), context.name() + " ended life " + context.life());
    }
  }

  @Test
  void stopsInOrderAndLivesAgain() {
    try (WorkerProcess worker = WorkerProcess.of(Counting.class).name("counting-1").start()) {
      worker.awaitReady(BOUND);
      assertThat(worker.exit()).isEqualTo(new WorkerExit(State.RUNNING, ""));
      assertThatIllegalStateException()
          .isThrownBy(worker::restart)
          .withMessageContaining("still runs life 1");
      worker.stop(BOUND);
      assertThat(worker.exit()).isEqualTo(new WorkerExit(State.ENDED, ""));
      Path first = worker.historyFiles().get(0);
      assertThat(Journal.lines(first)).contains("asked", "counting-1 ended life 1");

      long progress = worker.progress();
      worker.restart();
      assertThat(worker.progress()).isGreaterThanOrEqualTo(progress);
      awaitMove(worker);
      worker.stop(BOUND);

      assertThat(worker.life()).isEqualTo(2);
      assertThat(worker.historyFiles()).hasSize(2).startsWith(first);
      assertThat(Journal.lines(worker.historyFiles().get(1))).contains("counting-1 ended life 2");
    }
  }

  @Test
  void progressStandsStillWhileItIsPaused() {
    try (WorkerProcess worker = WorkerProcess.of(Counting.class).start()) {
      awaitMove(worker);

      worker.pause();
      AtomicLong last = new AtomicLong(-1);
      Awaitility.await()
          .atMost(BOUND)
          .during(Duration.ofMillis(300))
          .until(() -> worker.progress() == last.getAndSet(worker.progress()));
      assertThat(worker.isAlive()).isTrue();
      worker.resume();

      awaitMove(worker);
    }
  }

  @Test
  void isKilledAtOnceEvenWhenPaused() {
    try (WorkerProcess worker = WorkerProcess.of(Counting.class).start()) {
      awaitMove(worker);
      worker.pause();
      worker.kill();

      long reached = worker.progress();
      assertThat(worker.exit()).isEqualTo(new WorkerExit(State.KILLED, ""));
      assertThat(worker.isAlive()).isFalse();
      assertThat(reached).isPositive();
      assertThat(worker.historyFiles()).isEmpty();
      assertThatThrownBy(worker::pause)
          .isInstanceOf(TestKitException.class)
          .hasMessageContaining("KILLED");
      assertThatThrownBy(() -> worker.stop(BOUND))
          .isInstanceOf(TestKitException.class)
          .hasMessageContaining("KILLED");
    }
  }

  /** Fails as its arguments say. */
  static final class Failing implements Worker {
    @Override
    public void run(WorkerContext context) throws Exception {
      switch (context.argument("how")) {
        case "throw" -> throw new IllegalStateException("out of paper");
        case "exit" -> System.exit(9);
        case "throw-in-stop" -> {
          context.onStop(
              () -> {
                throw new IllegalStateException("out of ink");
              });
          context.ready();
          Thread.sleep(Long.MAX_VALUE);
        }
        default -> throw new AssertionError(context.argument("how"));
      }
    }
  }

  @Test
  void itsExceptionIsInTheErrorOfWhoWaits() {
    try (WorkerProcess worker = failing("throw").start()) {
      assertThatThrownBy(() -> worker.awaitReady(BOUND))
          .isInstanceOf(TestKitException.class)
          .hasMessageContaining("IllegalStateException: out of paper")
          .hasMessageContaining("WorkerProcessTest$Failing.run");
      assertThat(worker.exit().state()).isEqualTo(State.FAILED);
      assertThat(worker.exit().detail()).contains("out of paper");
      assertThat(worker.outputTail()).contains("out of paper");
    }
  }

  @Test
  void anExitOfItsOwnIsAFailure() {
    try (WorkerProcess worker = failing("exit").start()) {
      assertThat(worker.awaitExit(BOUND)).isEqualTo(new WorkerExit(State.FAILED, "exit status 9"));
    }
  }

  @Test
  void aFailureInTheStopIsOne() {
    try (WorkerProcess worker = failing("throw-in-stop").start()) {
      worker.awaitReady(BOUND);
      assertThatThrownBy(() -> worker.stop(BOUND))
          .isInstanceOf(TestKitException.class)
          .hasMessageContaining("out of ink");
    }
  }

  @Test
  void anArgumentThatIsMissingIsNamedWithThoseThatAreThere() {
    try (WorkerProcess worker =
        WorkerProcess.of(Failing.class).argument("topic", "a=b # ü\n").argument("two", 2).start()) {
      assertThat(worker.awaitExit(BOUND).detail())
          .contains("Worker 'Failing' has no argument 'how', only [topic, two]");
    }
  }

  /** Does not hear a stop. */
  static final class Deaf implements Worker {
    @Override
    public void run(WorkerContext context) throws Exception {
      Thread.currentThread().setName("the-deaf-one");
      context.ready();
      new CountDownLatch(1).await();
    }
  }

  @Test
  void whoDoesNotStopIsKilledAndItsThreadsAreTold() {
    try (WorkerProcess worker = WorkerProcess.of(Deaf.class).start()) {
      worker.awaitReady(BOUND);
      String dump = worker.threadDump();
      assertThat(dump).contains("Full thread dump", "\"the-deaf-one\"", "WorkerProcessTest$Deaf");
      assertThat(dump.split("Full thread dump", -1)).hasSize(2);
      assertThat(worker.threadDump()).as("a dump of now").isNotEqualTo(dump);

      assertThatThrownBy(() -> worker.stop(Duration.ofMillis(50)))
          .isInstanceOf(TestKitException.class)
          .hasMessageContaining("Killed worker 'Deaf' in life 1")
          .hasMessageContaining("\"the-deaf-one\"");
      assertThat(worker.exit().state()).isEqualTo(State.KILLED);
    }
  }

  @Test
  void saysWhatItWaitedForInVain() {
    try (WorkerProcess worker = WorkerProcess.of(Deaf.class).name("deaf").start()) {
      assertThatThrownBy(() -> worker.awaitExit(Duration.ZERO))
          .isInstanceOf(TestKitException.class)
          .hasMessageContaining("worker 'deaf' in life 1 has not ended after PT0S");
    }
  }

  /** Shows what its JVM is. */
  static final class Options implements Worker {
    @Override
    public void run(WorkerContext context) {
      Journal.add(context.historyFile(), System.getProperty("through"));
      Journal.add(context.historyFile(), System.getProperty("option"));
    }
  }

  @Test
  void runsOnTheJavaAndWithTheOptionsThatAreGiven() throws Exception {
    Path java = directory.resolve("java");
    Files.writeString(
        java, "#!/bin/sh\nexec '%s' -Dthrough=it \"$@\"".formatted(ChildJvm.ownJava()));
    Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwx------"));

    try (WorkerProcess worker =
        WorkerProcess.of(Options.class).java(java).jvmOption("-Doption=given").start()) {
      assertThat(worker.awaitExit(BOUND).state()).isEqualTo(State.ENDED);
      assertThat(Journal.lines(worker.historyFiles().get(0))).containsExactly("it", "given");
    }
  }

  /** Can't be made without the test. */
  final class Inner implements Worker {
    @Override
    public void run(WorkerContext context) {
      Journal.add(directory.resolve("test's"), "never");
    }
  }

  /** Can't be made without a parameter. */
  record Parameters(String some) implements Worker {
    @Override
    public void run(WorkerContext context) {}
  }

  @Test
  void refusesWhatItCouldNotDo() {
    Worker lambda = context -> {};
    assertThatIllegalArgumentException().isThrownBy(() -> WorkerProcess.of(lambda.getClass()));
    assertThatIllegalArgumentException().isThrownBy(() -> WorkerProcess.of(Worker.class));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> WorkerProcess.of(Inner.class))
        .withMessageContaining("Inner");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> WorkerProcess.of(Parameters.class))
        .withMessageContaining("Parameters");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> WorkerProcess.of(Deaf.class).name("a/b"))
        .withMessageContaining("a/b");
    try (WorkerProcess worker = WorkerProcess.of(Deaf.class).start()) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> worker.stop(Duration.ofMinutes(2)))
          .withMessageContaining("PT2M");
    }
  }

  private static WorkerBuilder failing(String how) {
    return WorkerProcess.of(Failing.class).argument("how", how);
  }

  private static void awaitMove(WorkerProcess worker) {
    long before = worker.progress();
    Awaitility.await().atMost(BOUND).until(() -> worker.progress() > before);
  }
}
