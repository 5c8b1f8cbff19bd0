package dev.millrace.testkit;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs one step on several nodes at once and bounds the time it takes. */
final class InParallel {
  private static final Logger LOG = LoggerFactory.getLogger(InParallel.class);

  /** What an interrupted step gets to put its own threads away. */
  private static final Duration GRACE = Duration.ofSeconds(10);

  private InParallel() {}

  /** A step on one node. */
  interface Step {
    void on(KafkaNode node) throws Exception;
  }

  /**
   * Runs the step on every node and returns when all have ended. A step that is late is interrupted
   * and waited for a little longer.
   *
   * @throws EmbeddedKafkaException if a step failed, was late, or the caller was interrupted
   */
  static void run(String what, Duration bound, List<KafkaNode> nodes, Step step) {
    if (nodes.isEmpty()) {
      return;
    }
    ExecutorService threads = Executors.newFixedThreadPool(nodes.size(), InParallel::daemon);
    List<Callable<@Nullable Void>> steps =
        nodes.stream().map(node -> callable(step, node)).toList();
    try {
      for (Future<@Nullable Void> result :
          threads.invokeAll(steps, bound.toMillis(), TimeUnit.MILLISECONDS)) {
        result.get();
      }
    } catch (ExecutionException e) {
      throw new EmbeddedKafkaException(
          "The embedded Kafka failed to " + what + ": " + e.getCause(), e.getCause());
    } catch (CancellationException e) {
      throw new EmbeddedKafkaException(
          "The embedded Kafka did not " + what + " within " + bound + "; see its log", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new EmbeddedKafkaException("Interrupted during the " + what + " of Kafka", e);
    } finally {
      end(threads);
    }
  }

  private static Callable<@Nullable Void> callable(Step step, KafkaNode node) {
    return () -> {
      step.on(node);
      return null;
    };
  }

  private static void end(ExecutorService threads) {
    threads.shutdownNow();
    try {
      if (!threads.awaitTermination(GRACE.toMillis(), TimeUnit.MILLISECONDS)) {
        LOG.error("A broker's thread does not react to its interruption and is left behind");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static Thread daemon(Runnable task) {
    Thread thread = new Thread(task, "millrace-kafka-step");
    thread.setDaemon(true);
    return thread;
  }
}
