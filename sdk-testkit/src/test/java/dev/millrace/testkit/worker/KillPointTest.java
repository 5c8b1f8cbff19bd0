package dev.millrace.testkit.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.millrace.testkit.worker.WorkerExit.State;
import java.io.BufferedWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KillPointTest {
  private static final Duration BOUND = Duration.ofSeconds(60);

  @TempDir Path directory;

  /** Handles ten records like a consumer, and writes down each step it has done. */
  static final class Consumer implements Worker {
    @Override
    public void run(WorkerContext context) {
      Path file = context.historyFile();
      for (int record = 1; record <= 10; record++) {
        Journal.add(file, "polled");
        context.killPoint(KillPoints.AFTER_POLL);
        context.killPoint(KillPoints.BEFORE_HANDLER);
        Journal.add(file, "started");
        context.killPoint(KillPoints.IN_HANDLER);
        Journal.add(file, "handled");
        context.killPoint(KillPoints.AFTER_HANDLER);
        context.killPoint(KillPoints.BEFORE_DEAD_LETTER);
        Journal.add(file, "dead-lettered");
        context.killPoint(KillPoints.AFTER_DEAD_LETTER);
        context.killPoint(KillPoints.BEFORE_COMMIT);
        Journal.add(file, "committed");
        context.killPoint(KillPoints.AFTER_COMMIT);
        context.killPoint(KillPoints.BEFORE_END_OF_TRANSACTION);
        Journal.add(file, "transaction ended");
        context.killPoint(KillPoints.AFTER_END_OF_TRANSACTION);
      }
    }
  }

  @Test
  void endsAtThePointAndNotAStepLater() {
    Map<String, Integer> stepsDone = new LinkedHashMap<>();
    stepsDone.put(KillPoints.AFTER_POLL, 1);
    stepsDone.put(KillPoints.BEFORE_HANDLER, 1);
    stepsDone.put(KillPoints.IN_HANDLER, 2);
    stepsDone.put(KillPoints.AFTER_HANDLER, 3);
    stepsDone.put(KillPoints.BEFORE_DEAD_LETTER, 3);
    stepsDone.put(KillPoints.AFTER_DEAD_LETTER, 4);
    stepsDone.put(KillPoints.BEFORE_COMMIT, 4);
    stepsDone.put(KillPoints.AFTER_COMMIT, 5);
    stepsDone.put(KillPoints.BEFORE_END_OF_TRANSACTION, 5);
    stepsDone.put(KillPoints.AFTER_END_OF_TRANSACTION, 6);

    List<WorkerProcess> workers = new ArrayList<>();
    try {
      stepsDone.keySet().forEach(point -> workers.add(consumer(point).killAt(point, 3).start()));
      for (WorkerProcess worker : workers) {
        String point = worker.name();
        assertThat(worker.awaitExit(BOUND)).isEqualTo(new WorkerExit(State.KILL_POINT, point));
        assertThat(worker.killPointReached()).isTrue();
        assertThat(Journal.lines(worker.historyFiles().get(0)))
            .as(point)
            .hasSize(2 * 6 + stepsDone.get(point));
      }
    } finally {
      workers.forEach(WorkerProcess::close);
    }
  }

  @Test
  void theNextLifeGoesOnUnlessItIsToEndAsWell() {
    try (WorkerProcess worker = consumer("again").killAt(KillPoints.AFTER_COMMIT, 10).start()) {
      worker.awaitExit(BOUND);
      worker.restartToKillAt(KillPoints.AFTER_POLL, 1);
      assertThat(worker.awaitExit(BOUND).state()).isEqualTo(State.KILL_POINT);
      worker.restart();
      assertThat(worker.awaitExit(BOUND).state()).isEqualTo(State.ENDED);

      assertThat(worker.killPointReached()).isFalse();
      assertThat(worker.historyFiles())
          .hasSize(3)
          .extracting(file -> Journal.lines(file).size())
          .containsExactly(59, 1, 60);
    }
  }

  @Test
  void aPointThatIsPassedTooSeldomIsNotReached() {
    try (WorkerProcess worker = consumer("seldom").killAt(KillPoints.AFTER_POLL, 11).start()) {
      assertThat(worker.awaitExit(BOUND)).isEqualTo(new WorkerExit(State.ENDED, ""));
      assertThat(worker.killPointReached()).isFalse();
    }
  }

  /** Leaves work for all who tidy up, then passes the point in an interrupted thread. */
  static final class Untidy implements Worker {
    @Override
    public void run(WorkerContext context) throws Exception {
      Path directory = Path.of(context.argument("directory"));
      BufferedWriter unflushed = Files.newBufferedWriter(directory.resolve("unflushed"));
      Runtime.getRuntime()
          .addShutdownHook(new Thread(() -> Journal.add(directory.resolve("hook"), "ran")));
      context.onKillPoint(point -> Journal.add(context.historyFile(), "killed at " + point));
      try (unflushed) {
        unflushed.write("in the buffer");
        Thread.currentThread().interrupt();
        context.killPoint("mine");
        Thread.interrupted();
      }
    }
  }

  @Test
  void leavesAllAsSigkillWould() {
    try (WorkerProcess worker = untidy().killAt("mine", 1).start()) {
      assertThat(worker.awaitExit(BOUND)).isEqualTo(new WorkerExit(State.KILL_POINT, "mine"));
      assertThat(directory.resolve("hook")).doesNotExist();
      assertThat(directory.resolve("unflushed")).isEmptyFile();
      assertThat(Journal.lines(worker.historyFiles().get(0))).containsExactly("killed at mine");

      worker.restart();
      assertThat(worker.awaitExit(BOUND).state()).isEqualTo(State.ENDED);
      assertThat(directory.resolve("hook")).exists();
      assertThat(directory.resolve("unflushed")).hasContent("in the buffer");
    }
  }

  /** Passes a point in eight threads, as often as its argument says in all. */
  static final class Concurrent implements Worker {
    @Override
    public void run(WorkerContext context) throws Exception {
      int times = Integer.parseInt(context.argument("times"));
      CountDownLatch done = new CountDownLatch(8);
      for (int i = 0; i < 8; i++) {
        new Thread(
                () -> {
                  for (int time = 0; time < times / 8; time++) {
                    context.killPoint("crowded");
                  }
                  done.countDown();
                })
            .start();
      }
      done.await();
    }
  }

  @Test
  void countsThePassesOfAllThreads() {
    try (WorkerProcess enough = concurrent("enough", 80_000).start();
        WorkerProcess oneShort = concurrent("one-short", 79_992).start()) {
      assertThat(enough.awaitExit(BOUND).state()).isEqualTo(State.KILL_POINT);
      assertThat(oneShort.awaitExit(BOUND).state()).isEqualTo(State.ENDED);
    }
  }

  @Test
  void refusesPointsThatNobodyPasses() {
    WorkerBuilder worker = consumer("refused");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> worker.killAt(KillPoints.AFTER_POLL, 0))
        .withMessageContaining("after-poll");
    assertThatIllegalArgumentException().isThrownBy(() -> worker.killAt(" ", 1));
  }

  private WorkerBuilder consumer(String name) {
    return WorkerProcess.of(Consumer.class).name(name).directory(directory);
  }

  private WorkerBuilder untidy() {
    return WorkerProcess.of(Untidy.class).argument("directory", directory);
  }

  private static WorkerBuilder concurrent(String name, int times) {
    return WorkerProcess.of(Concurrent.class)
        .name(name)
        .argument("times", times)
        .killAt("crowded", 80_000);
  }
}
