package dev.millrace.testkit.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.testkit.worker.Worker;
import dev.millrace.testkit.worker.WorkerContext;
import dev.millrace.testkit.worker.WorkerProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;

/** Looks for the watchdog's thread among all of the JVM, so it runs alone. */
@Isolated
class WatchdogTest {
  private static final Duration BOUND = Duration.ofSeconds(60);
  private static final Duration SHORT = Duration.ofMillis(100);

  @TempDir Path directory;
  private Path dump;

  @BeforeEach
  void nameTheDump() {
    dump = directory.resolve("threads.txt");
  }

  @Test
  void tellsOnceWhenTheBoundIsFull() {
    AtomicLong progress = new AtomicLong();
    Watched watched = new Watched("orders", progress::get);
    Duration bound = Duration.ofSeconds(10);

    assertThat(watched.hasJustStalled(Duration.ofSeconds(6), bound)).isFalse();
    progress.set(-3);
    assertThat(watched.hasJustStalled(Duration.ofSeconds(6), bound)).isFalse();
    assertThat(watched.hasJustStalled(Duration.ofMillis(9_999), bound)).isFalse();
    assertThat(watched.hasJustStalled(Duration.ofMillis(1), bound)).isTrue();
    assertThat(watched).hasToString("'orders' has stood at -3 for PT10S");
    assertThat(watched.hasJustStalled(Duration.ofSeconds(60), bound)).isFalse();
    progress.set(1);
    assertThat(watched.hasJustStalled(Duration.ofSeconds(1), bound)).isFalse();
    assertThat(watched.hasJustStalled(Duration.ofSeconds(60), bound)).isFalse();
  }

  @Test
  void whoCantBeAskedStandsStill() {
    AtomicLong looks = new AtomicLong();
    Watched watched =
        new Watched(
            "gone",
            () -> {
              if (looks.incrementAndGet() > 1) {
                throw new IllegalStateException("gone");
              }
              return 0;
            });

    assertThat(watched.hasJustStalled(SHORT, SHORT)).isTrue();
  }

  @Test
  void writesTheThreadsAndLocksOfWhatHangs() throws Exception {
    ReentrantLock lock = new ReentrantLock();
    Thread waiting = new Thread(lock::lock, "the-waiting-one");
    waiting.setDaemon(true);
    lock.lock();
    waiting.start();
    Awaitility.await().atMost(BOUND).until(() -> lock.hasQueuedThread(waiting));
    try (Watchdog watchdog = watch("orders", () -> 7)) {
      Awaitility.await().atMost(BOUND).until(() -> !watchdog.findings().isEmpty());
      lock.unlock();

      assertThat(watchdog.findings())
          .singleElement()
          .asString()
          .contains("'orders' has stood at 7 for PT0.1", dump.toString());
      assertThat(dump)
          .content()
          .startsWith("'orders' has stood at 7")
          .contains("\"the-waiting-one\"", "ReentrantLock$NonfairSync", "\"main\"")
          .contains("Locked ownable synchronizers");
      assertThatThrownBy(watchdog::close)
          .isInstanceOf(AssertionError.class)
          .hasMessageContaining("'orders' has stood at 7");
    }
    waiting.join();
    assertNoThread();
  }

  @Test
  void isSilentWhileThingsMove() {
    AtomicLong looks = new AtomicLong();
    try (Watchdog watchdog = watch("looks", looks::incrementAndGet)) {
      // Twice as many looks as the bound has.
      Awaitility.await().atMost(BOUND).until(() -> looks.get() > 40);
      assertThat(watchdog.findings()).isEmpty();
    }
    assertThat(dump).doesNotExist();
    assertNoThread();
  }

  @Test
  void anInterruptedTestStillEndsIt() {
    Watchdog watchdog = watch("time", System::nanoTime);

    Thread.currentThread().interrupt();
    watchdog.close();
    watchdog.close();

    assertThat(Thread.interrupted()).isTrue();
    assertNoThread();
  }

  @Test
  void isNotDeafWhenItCantWrite() {
    Path nowhere = directory.resolve("not-there").resolve("threads.txt");
    Watchdog watchdog = Watchdog.within(SHORT, nowhere).watch("orders", () -> 7).start();
    Awaitility.await().atMost(BOUND).until(() -> !watchdog.findings().isEmpty());

    assertThatThrownBy(watchdog::close)
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("'orders'")
        .hasMessageContaining("NoSuchFileException");
  }

  /** Moves a little, then hangs. */
  static final class Hanging implements Worker {
    @Override
    public void run(WorkerContext context) throws Exception {
      Thread.currentThread().setName("the-hanging-one");
      context.progress(5);
      context.ready();
      new CountDownLatch(1).await();
    }
  }

  @Test
  void writesTheThreadsOfAWorkerThatHangs() {
    try (WorkerProcess worker = WorkerProcess.of(Hanging.class).name("hanging").start();
        WorkerProcess dead = WorkerProcess.of(Hanging.class).name("dead").start()) {
      worker.awaitReady(BOUND);
      dead.kill();
      Watchdog watchdog = Watchdog.within(SHORT, dump).watch(worker).watch(dead).start();
      Awaitility.await().atMost(BOUND).until(() -> watchdog.findings().size() == 2);

      assertThatThrownBy(watchdog::close)
          .isInstanceOf(AssertionError.class)
          .hasMessageContaining("'worker hanging' has stood at 5")
          .hasMessageContaining("'worker dead' has stood");
      assertThat(dump)
          .content()
          .contains("Worker 'hanging'", "\"the-hanging-one\"", "WatchdogTest$Hanging.run")
          .contains("Worker 'dead'", "(no threads: ");
    }
  }

  @Test
  void saysWhichThreadsItCantShow() {
    assertThat(OwnThreads.dump(17)).startsWith("20").doesNotContain("Virtual threads");
    assertThat(OwnThreads.dump(21)).startsWith("Virtual threads are not among them");
  }

  @Test
  void refusesABoundItCouldNotKeep() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Watchdog.within(Duration.ofMillis(19), dump))
        .withMessageContaining("PT0.019S");
    assertThatCode(() -> Watchdog.within(Duration.ofMillis(20), dump)).doesNotThrowAnyException();
  }

  private Watchdog watch(String name, LongSupplier progress) {
    return Watchdog.within(SHORT, dump).watch(name, progress).start();
  }

  private static void assertNoThread() {
    assertThat(Thread.getAllStackTraces().keySet())
        .noneMatch(thread -> thread.getName().equals("millrace-watchdog"));
  }
}
