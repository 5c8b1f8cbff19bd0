package dev.millrace.internal.delivery;

import static dev.millrace.Interleavings.check;
import static dev.millrace.Interleavings.require;
import static dev.millrace.Interleavings.together;

import dev.millrace.internal.channel.Deliveries;
import dev.millrace.internal.channel.Delivery;
import dev.millrace.internal.channel.PartitionLoad;
import dev.millrace.internal.offset.CompletedAhead;
import dev.millrace.internal.offset.OffsetTracker;
import dev.millrace.internal.time.StoppedClock;
import java.util.ArrayDeque;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A task of the service's executor, while others decide about its record. */
@Tag("interleavings")
class ExecutorInterleavingTest {

  /** A record given to an executor that begins it when the test says, or rejects it. */
  private static final class Given {
    final OffsetTracker tracker =
        new OffsetTracker(new TopicPartition("t", 0), CompletedAhead.NONE);
    final Delivery delivery =
        new Delivery(
            Deliveries.record(0, "key"),
            Objects.requireNonNull(tracker.issue(0, -1)),
            new PartitionLoad(),
            0);
    private final Queue<Runnable> tasks = new ArrayDeque<>();
    private final ExecutorTask<String> task;
    private boolean atRest;
    private boolean rejected;
    private boolean lateCall;

    Given() {
      HandlerContext context = new HandlerContext(delivery.record(), 1, null, Optional.empty());
      task =
          new ExecutorTask<>(
              (value, ignored) -> call(), "", context, delivery, null, new StoppedClock());
    }

    private void call() {
      lateCall |= atRest || rejected; // What a handler throws is only its failure.
    }

    /** Worker. */
    void give(boolean rejects) {
      if (delivery.ticket().start()) {
        delivery.runs(1);
        CompletionStage<?> stage =
            task.giveTo(
                given -> {
                  tasks.add(given);
                  if (rejects) {
                    throw new IllegalStateException("rejected");
                  }
                });
        if (stage.toCompletableFuture().isCompletedExceptionally()) {
          rejected = true;
          delivery.ticket().requeue(); // Its next attempt follows.
        }
      }
    }

    /** Executor. */
    void run() {
      Runnable given = tasks.poll();
      if (given != null) {
        given.run();
      }
    }

    /** Poll thread. */
    void retire() {
      atRest = tracker.retire() == 0;
    }

    /** At the end: what is left of the executor's tasks is run. */
    void requireNoLateCall() {
      run();
      require(!lateCall, "the handler was called for what had been taken back");
    }
  }

  @Test
  void whatHasNotBegunWhenItsPartitionComesToRestNeverBegins() {
    check(
        () -> {
          Given given = new Given();
          return together(given::retire, () -> given.give(false), given::run)
              .then(given::requireNoLateCall);
        });
  }

  @Test
  void anExecutorThatRunsWhatItHasRejectedDoesNotBeginTheNextAttempt() {
    check(
        () -> {
          Given given = new Given();
          return together(() -> given.give(true), given::run).then(given::requireNoLateCall);
        });
  }
}
