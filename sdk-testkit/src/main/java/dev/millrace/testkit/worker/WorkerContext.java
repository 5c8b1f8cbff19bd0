package dev.millrace.testkit.worker;

import dev.millrace.testkit.TestKitException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * What a {@link Worker} has of the outside, in its own JVM.
 *
 * <p>Thread-safe.
 */
public final class WorkerContext {
  /** As the system reports a process that SIGKILL ended. */
  private static final int STATUS_OF_KILLED = 137;

  private final LifeDefinition definition;
  private final LifeFiles files;
  private final ProgressCell progress;
  private final StopSignal stop = new StopSignal();
  private final AtomicInteger timesAtKillPoint = new AtomicInteger();
  private volatile Consumer<String> lastWord = point -> {};

  WorkerContext(LifeDefinition definition, LifeFiles files) throws IOException {
    this.definition = definition;
    this.files = files;
    progress = new ProgressCell(files.progress());
  }

  /** Returns the worker's name, the same in each life. */
  public String name() {
    return definition.name();
  }

  /** Returns which life this is, counted from 1. */
  public int life() {
    return definition.life();
  }

  /**
   * Returns an argument the test has given.
   *
   * @throws TestKitException if there is none of this name; the message has the names there are
   */
  public String argument(String name) {
    String value = definition.arguments().get(name);
    if (value == null) {
      throw new TestKitException(
          "Worker '%s' has no argument '%s', only %s; give it with argument(\"%s\", …) where the worker is defined"
              .formatted(name(), name, new TreeSet<>(definition.arguments().keySet()), name),
          null);
    }
    return value;
  }

  /**
   * Returns the file for what this life sees and does. It does not exist yet; each life has its
   * own. The test finds them with {@link WorkerProcess#historyFiles()}.
   */
  public Path historyFile() {
    return files.history();
  }

  /**
   * Passes a point where the test may have this life end.
   *
   * <p>When it is the armed one and is passed for the nth time, counted over all threads, this call
   * does not return: the JVM ends here and leaves all as SIGKILL would. No shutdown hook runs,
   * nothing is closed or flushed, other threads are cut off wherever they are. Otherwise it costs
   * next to nothing.
   *
   * @param name one of {@link KillPoints}, or any other
   */
  public void killPoint(String name) {
    KillAt armed = definition.killAt();
    if (armed != null
        && armed.point().equals(name)
        && timesAtKillPoint.incrementAndGet() == armed.nth()) {
      die(name);
    }
  }

  /**
   * Sets who is told the name of the kill point, just before the JVM ends there and in the thread
   * that reached it; what a history writes is the use of it. What it throws is ignored.
   */
  public void onKillPoint(Consumer<String> action) {
    lastWord = action;
  }

  /**
   * Says that the worker does now what it is for; {@link WorkerProcess#awaitReady} waits for it.
   */
  public void ready() {
    files.markReady();
  }

  /**
   * Says how far this life has come, such as the number of records it has handled; 0 before. As
   * cheap as setting a volatile field.
   */
  public void progress(long value) {
    progress.set(value);
  }

  /** Returns whether the test wants the worker to end, see {@link WorkerProcess#stop}. */
  public boolean stopRequested() {
    return stop.isRequested();
  }

  /** Waits until {@link #stopRequested()}. */
  public void awaitStop() throws InterruptedException {
    stop.await();
  }

  /**
   * Has an action run when a stop is requested: in a thread of its own that runs all of them in
   * their order; or at once and here, if the request has come before. If it throws, the worker has
   * failed.
   */
  public void onStop(Runnable action) {
    stop.onRequest(action);
  }

  void requestStop() {
    stop.request();
  }

  private void die(String point) {
    try {
      lastWord.accept(point);
    } catch (Throwable e) {
      // The kill is what was asked for; who listens can't change it.
    }
    try {
      files.markEnd(new WorkerExit(WorkerExit.State.KILL_POINT, point));
    } finally {
      Runtime.getRuntime().halt(STATUS_OF_KILLED);
    }
  }
}
