package dev.millrace.testkit.fault;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.testkit.fault.Verdict.Outcome;
import dev.millrace.testkit.worker.Worker;
import dev.millrace.testkit.worker.WorkerContext;
import dev.millrace.testkit.worker.WorkerProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WorkerFaultsTest {
  private static final Duration BOUND = Duration.ofSeconds(60);

  @TempDir Path directory;

  /** Writes numbered lines into one file and goes on, in each life, after the last one. */
  static final class Writer implements Worker {
    @Override
    public void run(WorkerContext context) throws IOException {
      Path file = Path.of(context.argument("file"));
      long next = Files.exists(file) ? Files.readAllLines(file).size() : 0;
      context.ready();
      while (!context.stopRequested()) {
        Files.writeString(file, next + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        context.progress(++next);
        LockSupport.parkNanos(100_000);
      }
    }
  }

  @Test
  void twoWritersUnderFaults() {
    FaultSchedule schedule =
        FaultPlan.lasting(Duration.ofMillis(1_500))
            .gap(Duration.ofMillis(50), Duration.ofMillis(300))
            .fault(
                "kill", 1, Targets.of("writer", 2), Duration.ofMillis(50), Duration.ofMillis(200))
            .fault(
                "pause", 1, Targets.of("writer", 2), Duration.ofMillis(50), Duration.ofMillis(200))
            .schedule(1);
    List<WorkerProcess> writers = List.of(writer("one"), writer("two"));
    try (Watchdog watchdog =
        Watchdog.within(BOUND, directory.resolve("threads.txt"))
            .watch(writers.get(0))
            .watch(writers.get(1))
            .start()) {
      writers.forEach(writer -> writer.awaitReady(BOUND));
      FaultRun.of(schedule)
          .fault("kill", i -> WorkerFaults.kill(writers.get(i), BOUND))
          .fault("pause", i -> pause(writers.get(i)))
          .load("lines of one", writers.get(0)::progress)
          .load("lines of two", writers.get(1)::progress)
          .check("lines", () -> gaps("one"))
          .check("lines", () -> gaps("two"))
          .check("progress", watchdog::findings)
          .run()
          .requirePass();
    } finally {
      writers.forEach(WorkerProcess::close);
    }
    assertThat(schedule.steps()).extracting(FaultStep::kind).contains("kill", "pause");
    assertThat(writers.get(0).life() + writers.get(1).life()).isGreaterThan(3);
  }

  @Test
  void aKillOfWhoIsDeadIsNoFault() {
    FaultStep step = new FaultStep(Duration.ZERO, "kill", "writer", 0, Duration.ofMillis(1));
    try (WorkerProcess writer = writer("dead")) {
      writer.awaitReady(BOUND);
      writer.kill();
      Verdict verdict =
          FaultRun.of(new FaultSchedule(0, Duration.ofMillis(1), List.of(step)))
              .fault("kill", i -> WorkerFaults.kill(writer, BOUND))
              .load("time", System::nanoTime)
              .check("nothing", List::of)
              .run();

      assertThat(verdict.outcome()).isEqualTo(Outcome.INVALID);
      assertThat(verdict.doubts()).singleElement().asString().contains("no effect was witnessed");
      assertThat(writer.isAlive()).isTrue();
    }
  }

  private WorkerProcess writer(String name) {
    return WorkerProcess.of(Writer.class)
        .name(name)
        .argument("file", directory.resolve(name))
        .start();
  }

  /** Begun when the process stands still, which on a busy machine is a while after the signal. */
  private static Fault pause(WorkerProcess writer) {
    Fault pause = WorkerFaults.pause(writer, () -> stopped(writer));
    return new Fault(
        pause.name(),
        () -> {
          pause.begin().run();
          Awaitility.await().atMost(BOUND).until(() -> stopped(writer) == 1);
        },
        pause.heal(),
        pause.witness());
  }

  /** Returns 1 while the system has the process stopped. */
  private static long stopped(WorkerProcess writer) {
    try {
      Process ps =
          new ProcessBuilder("ps", "-o", "state=", "-p", Long.toString(writer.pid())).start();
      return new String(ps.getInputStream().readAllBytes(), UTF_8).startsWith("T") ? 1 : 0;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private List<String> gaps(String name) {
    try {
      List<String> lines = Files.readAllLines(directory.resolve(name));
      for (int i = 0; i < lines.size(); i++) {
        if (!lines.get(i).equals(Integer.toString(i))) {
          return List.of("line %d of %s is '%s'".formatted(i, name, lines.get(i)));
        }
      }
      return List.of();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
