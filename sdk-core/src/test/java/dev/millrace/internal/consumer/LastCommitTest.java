package dev.millrace.internal.consumer;

import static dev.millrace.internal.consumer.EngineFixture.P0;
import static dev.millrace.internal.consumer.EngineFixture.P1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.ConsumerState;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a consumer has finished when it is closed, and the group does not let it commit. */
class LastCommitTest {
  private final EngineFixture engine = new EngineFixture();
  private final Queue<String> handled = new ConcurrentLinkedQueue<>();

  @BeforeEach
  void finishFive() {
    // By the interval nothing is committed within this test.
    engine.commitInterval = Duration.ofHours(1);
    engine.start((value, context) -> handled.add(value));
    engine.assign(P0);
    engine.add(P0, 0, 5);
    await().until(() -> handled.size() == 5);
  }

  @AfterEach
  void leavesNothing() {
    engine.close();
  }

  @Test
  void pollsUntilTheRebalanceIsOver() {
    refuse(3, new RebalanceInProgressException());

    engine.handle().close(Duration.ofMinutes(1));

    assertThat(engine.consumer.lastCommit(P0)).isEqualTo(5);
    assertThat(engine.consumer.refusals).isEmpty();
  }

  @Test
  void commitsAgainWhenItsEpochHadGoneBy() {
    refuse(1, new CommitFailedException());

    engine.handle().close(Duration.ofMinutes(1));

    assertThat(engine.consumer.lastCommit(P0)).isEqualTo(5);
  }

  /** The deadline is an hour away. */
  @Test
  void commitsNothingWhenItFindsItsPartitionsLost() {
    refuse(1, new CommitFailedException());
    engine.consumer.onRefusal =
        () -> engine.consumer.schedulePollTask(() -> engine.consumer.lose(List.of(P0)));

    engine.handle().close(Duration.ofHours(1));

    assertThat(engine.consumer.commits).isEmpty();
    assertThat(engine.handle().state()).isEqualTo(ConsumerState.CLOSED);
  }

  @Test
  void takesNothingOfWhatTheRebalanceBrings() {
    refuse(1, new RebalanceInProgressException());
    engine.consumer.onRefusal =
        () ->
            engine.consumer.schedulePollTask(
                () -> {
                  engine.consumer.rebalance(List.of(P0, P1));
                  engine.addNow(P1, 0, 5);
                });

    engine.handle().close(Duration.ofMinutes(1));

    assertThat(handled).hasSize(5);
    assertThat(engine.consumer.lastCommit(P0)).isEqualTo(5);
    assertThat(engine.consumer.lastCommit(P1)).isEqualTo(-1);
  }

  @Test
  void endsAtItsDeadlineHoweverLongTheGroupRebalances() throws Exception {
    refuse(100_000, new RebalanceInProgressException());

    engine.handle().close(Duration.ofMillis(300));

    assertThat(engine.handle().awaitClosed(Duration.ofSeconds(30))).isTrue();
    assertThat(engine.consumer.commits).isEmpty();
  }

  /** The deadline is an hour away. */
  @Test
  void doesNotRepeatWhatIsRefusedForGood() {
    refuse(2, new AuthorizationException("no"));

    engine.handle().close(Duration.ofHours(1));

    assertThat(engine.consumer.commits).isEmpty();
    assertThat(engine.consumer.refusals).hasSize(1);
  }

  private void refuse(int times, KafkaException refusal) {
    engine.consumer.refusals.addAll(Collections.nCopies(times, refusal));
  }
}
