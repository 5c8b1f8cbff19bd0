package dev.millrace.testkit.worker;

import dev.millrace.testkit.TestKitException;
import dev.millrace.testkit.internal.ChildJvm;
import dev.millrace.testkit.internal.Poll;
import dev.millrace.testkit.worker.WorkerExit.State;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One JVM of a worker, from its start to its end. Thread-safe. */
final class Life {
  /** What SIGKILL leaves as the exit status. */
  private static final int STATUS_OF_KILLED = 137;

  private final String name;
  private final LifeFiles files;
  private final ChildJvm jvm;

  /** Kept once it is known, for the files may go before the life is forgotten. */
  private volatile @Nullable WorkerExit exit;

  private Life(String name, LifeFiles files, ChildJvm jvm) {
    this.name = name;
    this.files = files;
    this.jvm = jvm;
  }

  static Life start(LifeDefinition definition, Path java, List<String> options, Path directory) {
    String name = "worker '%s' in life %d".formatted(definition.name(), definition.life());
    LifeFiles files = new LifeFiles(directory);
    try {
      Files.createDirectory(directory);
    } catch (IOException e) {
      throw new TestKitException(
          "Cannot make %s for %s; each needs one of its own that is not there yet: %s"
              .formatted(directory, name, e),
          e);
    }
    definition.write(files.definition());
    List<String> arguments = List.of(directory.toAbsolutePath().toString());
    return new Life(
        name,
        files,
        ChildJvm.start(java, name, WorkerMain.class, options, arguments, Map.of(), files.output()));
  }

  long pid() {
    return jvm.pid();
  }

  LifeFiles files() {
    return files;
  }

  WorkerExit exit() {
    if (jvm.isAlive()) {
      return WorkerExit.of(State.RUNNING);
    }
    WorkerExit known = exit;
    if (known == null) {
      known = read();
      exit = known;
    }
    return known;
  }

  private WorkerExit read() {
    int status = jvm.exitValue();
    return files
        .end()
        .filter(said -> said.state() != State.ENDED || status == 0)
        .orElseGet(
            () ->
                status == STATUS_OF_KILLED
                    ? WorkerExit.of(State.KILLED)
                    : new WorkerExit(State.FAILED, "exit status " + status));
  }

  void awaitReady(Duration timeout) {
    Poll.until(timeout, () -> files.isReady() || !jvm.isAlive(), done -> done);
    if (!files.isReady()) {
      throw jvm.isAlive() ? late("is not ready", timeout) : broken("never was ready");
    }
  }

  WorkerExit awaitExit(Duration timeout) {
    WorkerExit exit = Poll.until(timeout, this::exit, seen -> seen.state() != State.RUNNING);
    if (exit.state() == State.RUNNING) {
      throw late("has not ended", timeout);
    }
    return exit;
  }

  void stop(Duration timeout) {
    files.markStop();
    jvm.requestStop();
    if (!jvm.awaitExit(timeout)) {
      String threads = threadsIfAny();
      jvm.kill();
      throw new TestKitException(
          "Killed %s, which did not end within %s of the request; its threads then:%n%s"
              .formatted(name, timeout, threads),
          null);
    }
    if (exit().state() != State.ENDED) {
      throw broken("did not end in order");
    }
  }

  void kill() {
    jvm.kill();
  }

  void pause() {
    requireAlive("pause");
    jvm.pause();
  }

  void resume() {
    requireAlive("resume");
    jvm.resume();
  }

  String threadDump() {
    requireAlive("dump the threads of");
    return ThreadDumps.of(jvm, files::isUp, name);
  }

  String outputTail() {
    return jvm.outputTail();
  }

  private String threadsIfAny() {
    try {
      return threadDump();
    } catch (TestKitException e) {
      return "(none: " + e.getMessage() + ")";
    }
  }

  private void requireAlive(String action) {
    if (!jvm.isAlive()) {
      throw new TestKitException("Cannot %s %s: %s".formatted(action, name, exit()), null);
    }
  }

  private TestKitException late(String what, Duration timeout) {
    String why =
        Thread.currentThread().isInterrupted()
            ? "when the wait was interrupted"
            : "after " + timeout;
    return new TestKitException(
        "%s %s %s; the end of its output:%n%s".formatted(name, what, why, outputTail()), null);
  }

  private TestKitException broken(String what) {
    return new TestKitException(
        "%s %s: %s%nThe end of its output:%n%s".formatted(name, what, exit(), outputTail()), null);
  }
}
