package dev.millrace.testkit.worker;

import static java.util.Objects.requireNonNull;

import dev.millrace.testkit.TestKitException;
import dev.millrace.testkit.internal.TempDirectory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A {@link Worker} in a JVM of its own, which can be killed, stopped, and started again.
 *
 * <p>Each start is a new life with files of its own; what is asked here is answered for the newest.
 * A worker does not outlive this process, whatever way it ends.
 *
 * <p>Thread-safe. Signals need a POSIX system.
 */
public final class WorkerProcess implements AutoCloseable {
  private final WorkerDefinition definition;
  private final Path directory;
  private final @Nullable TempDirectory ownDirectory;

  /** Guarded by this; the last one is the newest. */
  private final List<Life> lives = new ArrayList<>();

  /** Guarded by this. */
  private boolean closed;

  private WorkerProcess(
      WorkerDefinition definition, Path directory, @Nullable TempDirectory ownDirectory) {
    this.definition = definition;
    this.directory = directory;
    this.ownDirectory = ownDirectory;
  }

  /**
   * Starts the first life of a worker.
   *
   * @param given where its files go; when null, into a temporary directory that goes with it
   */
  static WorkerProcess start(
      WorkerDefinition definition, @Nullable KillAt killAt, @Nullable Path given) {
    TempDirectory own = given == null ? new TempDirectory("millrace-worker") : null;
    Path directory = own == null ? requireNonNull(given) : own.path();
    WorkerProcess process = new WorkerProcess(definition, directory, own);
    try {
      process.start(killAt);
      return process;
    } catch (RuntimeException e) {
      process.close();
      throw e;
    }
  }

  /**
   * Begins the definition of a worker.
   *
   * @throws IllegalArgumentException if the class can't be made from its name
   */
  public static WorkerBuilder of(Class<? extends Worker> worker) {
    return new WorkerBuilder(worker);
  }

  /** Returns the name. */
  public String name() {
    return definition.name();
  }

  /** Returns the number of the newest life, counted from 1. */
  public synchronized int life() {
    return lives.size();
  }

  /** Returns the process id of the newest life. */
  public long pid() {
    return newest().pid();
  }

  /** Returns whether the newest life has not ended. */
  public boolean isAlive() {
    return exit().state() == WorkerExit.State.RUNNING;
  }

  /** Returns how the newest life stands or has ended. */
  public WorkerExit exit() {
    return newest().exit();
  }

  /** Returns whether the newest life has ended at its kill point. */
  public boolean killPointReached() {
    return exit().state() == WorkerExit.State.KILL_POINT;
  }

  /**
   * Returns the sum of what each life has said last with {@link WorkerContext#progress}; also after
   * their end. So a life that only starts is no progress, nor a step back.
   */
  public synchronized long progress() {
    return lives.stream().mapToLong(life -> life.files().readProgress()).sum();
  }

  /**
   * Returns the history files there are, oldest life first. A life that has kept no history, or was
   * killed before it began one, has none.
   */
  public synchronized List<Path> historyFiles() {
    return lives.stream().map(life -> life.files().history()).filter(Files::exists).toList();
  }

  /**
   * Waits for {@link WorkerContext#ready}.
   *
   * @throws TestKitException if the worker ends before (the message has its stack trace), or is not
   *     ready after {@code timeout}
   */
  public void awaitReady(Duration timeout) {
    newest().awaitReady(timeout);
  }

  /**
   * Waits for the end of the newest life and returns how it ended.
   *
   * @throws TestKitException if it still runs after {@code timeout}, or the wait is interrupted
   */
  public WorkerExit awaitExit(Duration timeout) {
    return newest().awaitExit(timeout);
  }

  /** Sends SIGKILL and returns when the process is gone. Does nothing when it is already. */
  public void kill() {
    newest().kill();
  }

  /**
   * Sends SIGSTOP: the process stands still, its connections stay open.
   *
   * @throws TestKitException if it has ended
   */
  public void pause() {
    newest().pause();
  }

  /**
   * Sends SIGCONT.
   *
   * @throws TestKitException if it has ended
   */
  public void resume() {
    newest().resume();
  }

  /**
   * Asks the worker to end, see {@link WorkerContext#stopRequested()}, and returns when its process
   * is gone. One that does not end is killed; so is one that is paused.
   *
   * @param timeout at most a minute
   * @throws TestKitException if it had to be killed (the message has its threads), or has failed or
   *     was killed before
   */
  public void stop(Duration timeout) {
    if (timeout.compareTo(Duration.ofMinutes(1)) > 0) {
      throw new IllegalArgumentException(
          "Worker '%s' gets at most a minute to stop, not %s".formatted(name(), timeout));
    }
    newest().stop(timeout);
  }

  /**
   * Starts a new life of the same definition, without a kill point.
   *
   * @throws IllegalStateException if the newest life has not ended, or after {@link #close()}
   */
  public void restart() {
    start(null);
  }

  /** Starts a new life, as {@link #restart()}, that ends at a kill point. */
  public void restartToKillAt(String point, int nth) {
    start(new KillAt(point, nth));
  }

  /** Returns the end of what the newest life has written to its output and error, for messages. */
  public String outputTail() {
    return newest().outputTail();
  }

  /**
   * Returns the stacks and locks of all platform threads, as the JVM prints them.
   *
   * @throws TestKitException if none comes, because the process has ended or is paused
   */
  public String threadDump() {
    return newest().threadDump();
  }

  /**
   * Kills the process when it still runs, and removes its files, unless they are in a directory
   * that was given. Does nothing when repeated.
   */
  @Override
  public synchronized void close() {
    closed = true;
    try {
      if (!lives.isEmpty()) {
        newest().kill();
        // While the files are there: how it ended can be asked for later, too.
        newest().exit();
      }
    } finally {
      if (ownDirectory != null) {
        ownDirectory.close();
      }
    }
  }

  private synchronized Life newest() {
    return lives.get(lives.size() - 1);
  }

  private synchronized void start(@Nullable KillAt killAt) {
    if (closed) {
      throw new IllegalStateException("Worker '" + name() + "' is closed");
    }
    if (!lives.isEmpty() && isAlive()) {
      throw new IllegalStateException(
          "Worker '%s' still runs life %d; kill or stop it first".formatted(name(), life()));
    }
    lives.add(definition.start(lives.size() + 1, killAt, directory));
  }
}
