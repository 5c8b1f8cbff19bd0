package dev.millrace.testkit.fault;

import dev.millrace.testkit.TestKitException;
import dev.millrace.testkit.worker.WorkerProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks from a daemon thread whether things get on. When one does not for a given time, it writes
 * the threads of this JVM and of all watched workers into a file while they hang, and {@link
 * #close()} fails. Each thing is told of once.
 *
 * <p>A time in which the watchdog could not look either, because the machine was busy or asleep, is
 * not counted. Thread-safe.
 */
public final class Watchdog implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Watchdog.class);
  private static final Duration LONGEST_DUMP = Duration.ofMinutes(1);

  private final Duration bound;
  private final Duration interval;
  private final Path dump;
  private final List<Watched> watched;
  private final List<WorkerProcess> workers;
  private final List<String> findings = new CopyOnWriteArrayList<>();
  private final CountDownLatch closing = new CountDownLatch(1);
  private final Thread thread = new Thread(this::watch, "millrace-watchdog");

  private Watchdog(Builder builder) {
    bound = builder.bound;
    interval = bound.dividedBy(20);
    dump = builder.dump;
    watched = List.copyOf(builder.watched);
    workers = List.copyOf(builder.workers);
  }

  /**
   * Begins the definition of a watchdog.
   *
   * @param bound how long a thing may stand still, at least 20 ms; longer than any fault that stops
   *     it
   * @param dump the file that threads are appended to; made when there are any, and kept
   */
  public static Builder within(Duration bound, Path dump) {
    return new Builder(bound, dump);
  }

  /** Returns what has stood still so far; fits {@link FaultRun#check}. */
  public List<String> findings() {
    return List.copyOf(findings);
  }

  /**
   * Ends the watch. Does nothing when repeated.
   *
   * @throws AssertionError if something has stood still, with the name of the dump
   */
  @Override
  public void close() {
    if (closing.getCount() == 0) {
      return;
    }
    closing.countDown();
    joinThread();
    if (!findings.isEmpty()) {
      throw new AssertionError(String.join("\n", findings));
    }
  }

  private void watch() {
    long last = System.nanoTime();
    try {
      while (!closing.await(interval.toNanos(), TimeUnit.NANOSECONDS)) {
        long now = System.nanoTime();
        look(Duration.ofNanos(Math.min(now - last, 2 * interval.toNanos())));
        last = now;
      }
    } catch (InterruptedException e) {
      LOG.error("The watchdog was interrupted by somebody who has no business with it", e);
    }
  }

  private void look(Duration elapsed) {
    for (Watched one : watched) {
      if (one.hasJustStalled(elapsed, bound)) {
        String finding = one + ", threads in " + dump.toAbsolutePath();
        try {
          append(one + "\n\n" + OwnThreads.dump() + ofWorkers());
        } catch (IOException e) {
          finding = one + ", threads could not be written: " + e;
        }
        LOG.error("No progress: {}", finding);
        findings.add(finding);
      }
    }
  }

  private void append(String text) throws IOException {
    Files.writeString(dump, text, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
  }

  private String ofWorkers() {
    StringBuilder text = new StringBuilder();
    for (WorkerProcess worker : workers) {
      text.append("\nWorker '").append(worker.name()).append("'\n");
      try {
        text.append(worker.threadDump());
      } catch (TestKitException e) {
        text.append("(no threads: ").append(e.getMessage()).append(")\n");
      }
    }
    return text.toString();
  }

  private void joinThread() {
    boolean interrupted = Thread.interrupted();
    try {
      thread.join(LONGEST_DUMP.toMillis());
    } catch (InterruptedException e) {
      interrupted = true;
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    if (thread.isAlive()) {
      throw new TestKitException(
          "The watchdog hangs; is it asked for a progress that blocks?", null);
    }
  }

  /** Defines a watchdog. Not thread-safe. */
  public static final class Builder {
    private static final Duration SHORTEST = Duration.ofMillis(20);

    private final Duration bound;
    private final Path dump;
    private final List<Watched> watched = new ArrayList<>();
    private final List<WorkerProcess> workers = new ArrayList<>();

    private Builder(Duration bound, Path dump) {
      if (bound.compareTo(SHORTEST) < 0) {
        throw new IllegalArgumentException(
            "A watchdog needs a bound of %s or more, not %s".formatted(SHORTEST, bound));
      }
      this.bound = bound;
      this.dump = dump;
    }

    /**
     * Watches a number that changes while things get on.
     *
     * @param progress called from the watchdog's thread; must not block
     */
    public Builder watch(String name, LongSupplier progress) {
      watched.add(new Watched(name, progress));
      return this;
    }

    /** Watches the progress of a worker, whichever life it is in, and has its threads dumped. */
    public Builder watch(WorkerProcess worker) {
      workers.add(worker);
      return watch("worker " + worker.name(), worker::progress);
    }

    /** Starts the watch. */
    public Watchdog start() {
      Watchdog watchdog = new Watchdog(this);
      watchdog.thread.setDaemon(true);
      watchdog.thread.start();
      return watchdog;
    }
  }
}
