package dev.millrace.testkit.cluster;

import dev.millrace.testkit.TestKitException;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs one step on several nodes at once and bounds the time it takes.
 *
 * <p>An interruption of the caller does not cut a step short: a broker left half way keeps its
 * threads, its ports and its files. The caller finds itself interrupted afterwards.
 */
final class InParallel {
  private static final Logger LOG = LoggerFactory.getLogger(InParallel.class);

  /** What a late step gets, once interrupted, to put its own threads away. */
  private static final Duration GRACE = Duration.ofSeconds(10);

  private InParallel() {}

  /** A step on one node. */
  interface Step {
    void on(LocalNode node) throws Exception;
  }

  /**
   * Runs the step on every node and returns when all have ended.
   *
   * @param who for messages: "The embedded Kafka"
   * @param what for messages: "start"
   * @throws TestKitException if a step was late, or failed: then with the first failure as the
   *     cause and the others suppressed in it
   */
  static void run(String who, String what, Duration bound, List<LocalNode> nodes, Step step) {
    if (nodes.isEmpty()) {
      return;
    }
    Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
    ExecutorService threads = Executors.newFixedThreadPool(nodes.size(), InParallel::daemon);
    nodes.forEach(node -> threads.execute(() -> run(step, node, failures)));
    threads.shutdown();
    boolean inTime = ended(threads, bound);
    if (!inTime) {
      threads.shutdownNow();
      if (!ended(threads, GRACE)) {
        LOG.error("A broker does not react to its interruption; some thread of it is left behind");
      }
    }
    Throwable failure = failures.poll();
    if (failure != null) {
      failures.forEach(failure::addSuppressed);
      throw new TestKitException(who + " failed to " + what + ": " + failure, failure);
    }
    if (!inTime) {
      throw new TestKitException(who + " did not " + what + " within " + bound, null);
    }
  }

  private static void run(Step step, LocalNode node, Queue<Throwable> failures) {
    try {
      step.on(node);
    } catch (Throwable t) {
      failures.add(t);
    }
  }

  private static boolean ended(ExecutorService threads, Duration bound) {
    long end = System.nanoTime() + bound.toNanos();
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return threads.awaitTermination(end - System.nanoTime(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static Thread daemon(Runnable task) {
    Thread thread = new Thread(task, "millrace-kafka-step");
    thread.setDaemon(true);
    return thread;
  }
}
