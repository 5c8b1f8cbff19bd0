package dev.millrace.internal.consumer;

import static dev.millrace.internal.consumer.EngineFixture.P0;
import static dev.millrace.internal.consumer.EngineFixture.P1;
import static dev.millrace.internal.consumer.EngineFixture.SOON;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.ConsumerExplanation.Unfinished;
import dev.millrace.consumer.ConsumerExplanation.WaitsForRetry;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Attempts stay with a partition that stays, or comes back, but not with one that starts anew. */
class RetryAcrossRebalanceTest {
  private final EngineFixture engine = new EngineFixture();
  private final Queue<String> seen = new ConcurrentLinkedQueue<>();

  @AfterEach
  void close() {
    engine.close();
  }

  private void failFirstRecord(Duration backoff) {
    engine.backoff = backoff;
    engine.start(
        (value, context) -> {
          seen.add(context.offset() + "#" + context.attempt());
          if (context.offset() == 0) {
            throw new IllegalStateException("not yet");
          }
        });
    engine.assign(P0);
    engine.add(P0, 0, 1);
    await().atMost(SOON).until(() -> !seen.isEmpty());
  }

  @Test
  void whatWaitsInAPartitionThatStaysGoesOnWaitingForItsSecondAttempt() {
    failFirstRecord(Duration.ofHours(1));
    await().atMost(SOON).until(this::waits);

    engine.assign(P0, P1);
    engine.assign(P0);
    engine.add(P0, 1, 1);
    await().atMost(SOON).until(() -> seen.contains("1#1"));

    assertThat(waits()).isTrue();
    assertThat(oldest().get(0).attempt()).isEqualTo(2);
    assertThat(seen).containsExactly("0#1", "1#1");
  }

  /** When the rest of the back-off is over: a key's lane outlives the assignment. */
  @Test
  void whatLeavesAndComesBackGoesOnWithItsNextAttempt() {
    engine.attempts = 1_000_000;
    failFirstRecord(Duration.ofMillis(100));
    await().atMost(SOON).until(this::waits);

    engine.leave(P0);
    int before = seen.size();
    engine.assign(P0);
    engine.add(P0, 0, 1);

    await().atMost(SOON).until(() -> seen.size() > before);
    assertThat(List.copyOf(seen).get(before)).isEqualTo("0#" + (before + 1));
  }

  /** However often its partition moves. */
  @Test
  void theCeilingHoldsForARecordWhosePartitionMovesBetweenItsAttempts() {
    engine.attempts = 4;
    engine.backoff = Duration.ofMillis(100);
    failFirstRecord(engine.backoff);
    for (int moves = 0; moves < 3; moves++) {
      int before = seen.size();
      await().atMost(SOON).until(this::waits);
      engine.leave(P0);
      engine.assign(P0);
      engine.add(P0, 0, 1);
      await().atMost(SOON).until(() -> seen.size() > before);
    }

    await().atMost(SOON).until(() -> engine.handle().failure().isPresent());
    assertThat(seen).containsExactly("0#1", "0#2", "0#3", "0#4");
  }

  /** Else one that is at work whenever its partition moves would be tried for ever. */
  @Test
  void anAttemptThatFailsWhileItsPartitionLeavesCounts() {
    engine.attempts = 2;
    engine.backoff = Duration.ofMillis(1);
    engine.start(
        (value, context) -> {
          seen.add(context.offset() + "#" + context.attempt());
          await().atMost(SOON).until(() -> context.attempt() > 1 || engine.isDraining());
          throw new IllegalStateException("not yet");
        });
    engine.assign(P0);
    engine.add(P0, 0, 1);
    await().atMost(SOON).until(() -> !seen.isEmpty());

    engine.leave(P0);
    engine.assign(P0);
    engine.add(P0, 0, 1);

    await().atMost(SOON).until(() -> seen.size() > 1);
    assertThat(seen).element(1).isEqualTo("0#2");
  }

  @Test
  void afterASeekTheFirstAttemptIsNext() {
    engine.attempts = 1_000_000;
    failFirstRecord(Duration.ofMillis(100));
    await().atMost(SOON).until(this::waits);
    engine.leave(P0);
    engine.assign(P0);

    engine.handle().seek(P0, 0).join();
    int before = seen.size();
    engine.add(P0, 0, 1);

    await().atMost(SOON).until(() -> seen.size() > before);
    assertThat(List.copyOf(seen).get(before)).isEqualTo("0#1");
  }

  private boolean waits() {
    return oldest().stream().anyMatch(record -> record.activity() instanceof WaitsForRetry);
  }

  private List<Unfinished> oldest() {
    return engine.explained().partitions().stream()
        .filter(partition -> partition.partition().equals(P0))
        .flatMap(partition -> partition.oldest().stream())
        .toList();
  }
}
