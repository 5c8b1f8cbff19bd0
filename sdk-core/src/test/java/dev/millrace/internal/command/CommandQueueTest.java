package dev.millrace.internal.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.errors.ConsumerClosedException;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class CommandQueueTest {
  private final AtomicInteger wakeUps = new AtomicInteger();
  private final CommandQueue queue = new CommandQueue("orders", wakeUps::incrementAndGet);
  private final List<Integer> done = new ArrayList<>();

  @Test
  void runsInTheirOrderWhatWasAskedAndAnswers() {
    CompletableFuture<Boolean> first = queue.ask("count 1", () -> done.add(1));
    CompletableFuture<Boolean> second = queue.ask("count 2", () -> done.add(2));
    assertThat(wakeUps).hasValue(2);
    assertThat(first).isNotDone();

    queue.runNext();
    assertThat(done).containsExactly(1);
    assertThat(second).isNotDone();
    queue.runNext();

    assertThat(done).containsExactly(1, 2);
    assertThat(first).isCompletedWithValue(true);
    assertThat(second).isCompletedWithValue(true);
    assertThat(queue.isEmpty()).isTrue();
  }

  /** Else a command that asks for the next one would keep the polls from going on. */
  @Test
  void whatComesMeanwhileWaitsForTheNextTurn() {
    var unused = queue.ask("ask", () -> queue.ask("count", () -> done.add(1)).isDone());

    queue.runNext();
    assertThat(done).isEmpty();
    queue.runNext();

    assertThat(done).containsExactly(1);
  }

  @Test
  void aFailureIsTheAskersAndTheNextCommandRuns() {
    CompletableFuture<Boolean> failing =
        queue.ask(
            "fail",
            () -> {
              throw new IllegalStateException("not owned");
            });
    var unused = queue.ask("count", () -> done.add(1));

    queue.runNext();
    queue.runNext();

    assertThat(failing).isCompletedExceptionally();
    assertThatThrownBy(failing::join).hasRootCauseMessage("not owned");
    assertThat(done).containsExactly(1);
  }

  @Test
  void whatNobodyWaitsForAnyMoreIsNotRun() {
    queue.ask("count", () -> done.add(1)).cancel(false);

    queue.runNext();

    assertThat(done).isEmpty();
  }

  @Test
  void aClosedQueueRefusesWhatWaitsAndWhatComes() {
    CompletableFuture<Boolean> waiting = queue.ask("pause", () -> done.add(1));

    queue.close();
    assertThat(waiting).isCompletedExceptionally();
    CompletableFuture<Boolean> late = queue.ask("resume", () -> done.add(2));

    assertThatThrownBy(waiting::join)
        .hasCauseInstanceOf(ConsumerClosedException.class)
        .hasMessageContaining("Consumer 'orders' has ended, or is about to; it did not pause.");
    assertThatThrownBy(late::join).hasCauseInstanceOf(ConsumerClosedException.class);
    assertThat(done).isEmpty();
  }

  @Test
  void noCommandIsLostInTheMomentOfTheClose() throws Exception {
    for (int round = 0; round < 200; round++) {
      CommandQueue closing = new CommandQueue("orders", () -> {});
      Queue<CompletableFuture<Integer>> replies = new ConcurrentLinkedQueue<>();
      CountDownLatch go = new CountDownLatch(1);
      Thread asker =
          new Thread(
              () -> {
                hold(go);
                for (int i = 0; i < 200; i++) {
                  replies.add(closing.ask("count", () -> 1));
                }
              });
      asker.start();
      go.countDown();
      closing.runNext();
      closing.close();
      asker.join();

      for (CompletableFuture<Integer> reply : replies) {
        assertThat(reply.handle((done, refused) -> refused).get(60, TimeUnit.SECONDS))
            .satisfiesAnyOf(
                refused -> assertThat(refused).isNull(),
                refused -> assertThat(refused).isInstanceOf(ConsumerClosedException.class));
      }
    }
  }

  @Test
  void onlyTheThreadThatRanTheFirstRunsCommands() throws Exception {
    queue.runNext();
    CompletableFuture<Throwable> thrown = new CompletableFuture<>();
    Thread stranger =
        new Thread(
            () -> {
              try {
                queue.runNext();
                thrown.complete(new AssertionError("nothing was thrown"));
              } catch (IllegalStateException e) {
                thrown.complete(e);
              }
            });
    stranger.start();

    assertThat(thrown.get(60, TimeUnit.SECONDS))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("The running of commands belongs to thread");
  }

  private static void hold(CountDownLatch latch) {
    try {
      assertThat(latch.await(60, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
