package dev.millrace.internal.listener;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.consumer.ConsumerListener;
import dev.millrace.internal.channel.PollThreadSignal;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

class ListenerCallsTest {
  private static final Set<TopicPartition> PARTITIONS = Set.of(new TopicPartition("orders", 0));

  /** Else the poll thread would go back to sleep, to wake at its deadline. */
  @Test
  void whoIsWokenFindsTheCallDone() throws Exception {
    CompletableFuture<BooleanSupplier> asked = new CompletableFuture<>();
    CompletableFuture<Boolean> foundDone = new CompletableFuture<>();
    CountDownLatch mayReturn = new CountDownLatch(1);
    ListenerCalls calls =
        new ListenerCalls(
            "c",
            new ConsumerListener() {
              @Override
              public void assigned(Set<TopicPartition> partitions) {
                hold(mayReturn);
              }
            },
            new Raised(() -> foundDone.complete(asked.join().getAsBoolean())),
            Executors::newSingleThreadExecutor);

    asked.complete(calls.assigned(PARTITIONS));
    mayReturn.countDown();

    assertThat(foundDone.get(20, TimeUnit.SECONDS)).isTrue();
    calls.close(Duration.ofSeconds(20));
  }

  @Test
  void withoutAListenerNothingIsWaitedForAndNoThreadStarted() {
    ListenerCalls calls =
        new ListenerCalls(
            "c",
            null,
            new Raised(() -> {}),
            () -> {
              throw new AssertionError("a thread");
            });

    assertThat(calls.assigned(PARTITIONS).getAsBoolean()).isTrue();
    assertThat(calls.revoked(PARTITIONS).getAsBoolean()).isTrue();
    calls.lost(PARTITIONS);
    calls.active();
    calls.close(Duration.ofSeconds(20));
  }

  private static void hold(CountDownLatch latch) {
    try {
      assertThat(latch.await(20, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private record Raised(Runnable onRaise) implements PollThreadSignal {
    @Override
    public boolean await(
        BooleanSupplier condition, BooleanSupplier worthWaking, long deadlineNanos) {
      throw new AssertionError("Nobody waits here.");
    }

    @Override
    public void raise() {
      onRaise.run();
    }
  }
}
