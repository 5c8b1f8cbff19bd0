package dev.millrace.internal.consumer;

import static dev.millrace.internal.consumer.EngineFixture.P0;
import static dev.millrace.internal.consumer.EngineFixture.P1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.ConsumerListener;
import dev.millrace.consumer.ConsumerState;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** When a listener is told of what, and that nothing it does harms the consumer. */
class ListenerTest {
  private final EngineFixture engine = new EngineFixture();
  private final Queue<String> seen = new ConcurrentLinkedQueue<>();
  private final CountDownLatch running = new CountDownLatch(1);

  @AfterEach
  void leavesNothing() {
    engine.close();
  }

  @Test
  void revokedComesWhenTheRecordsAreAtRestAndBeforeTheyAreCommitted() {
    engine.commitInterval = Duration.ofHours(1);
    engine.listener =
        new Recording() {
          @Override
          public void revoked(Set<TopicPartition> partitions) {
            super.revoked(partitions);
            seen.add("owned " + engine.handle().assignment());
            seen.add("committed " + engine.consumer.lastCommit(P0));
          }
        };
    engine.start(
        (value, context) -> {
          running.countDown();
          engine.release.await();
          seen.add("handled " + context.offset());
        });
    engine.assign(P0);
    engine.add(P0, 0, 1);
    EngineFixture.hold(running);
    engine.consumer.schedulePollTask(() -> engine.consumer.rebalance(List.of()));
    await().until(() -> engine.consumer.revoking);
    engine.release.countDown();

    await().until(() -> engine.handle().assignment().isEmpty());
    assertThat(seen)
        .containsExactly(
            "assigned [orders-0]",
            "handled 0",
            "revoked [orders-0]",
            "owned [orders-0]",
            "committed -1");
    assertThat(engine.consumer.lastCommit(P0)).isEqualTo(1);
  }

  @Test
  void noRecordIsHandledBeforeAssignedHasReturned() {
    engine.drain = Duration.ofSeconds(20);
    engine.listener =
        new Recording() {
          @Override
          public void assigned(Set<TopicPartition> partitions) {
            seen.add("handled early: " + isHandledWithinAMoment());
          }
        };
    engine.start((value, context) -> running.countDown());
    engine.consumer.schedulePollTask(
        () -> {
          engine.consumer.rebalance(List.of(P0));
          engine.addNow(P0, 0, 1);
        });

    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(1));
    assertThat(seen).containsExactly("handled early: false");
  }

  @Test
  void aListenerThatHangsHoldsNobodyUpForLongerThanTheDrain() {
    engine.drain = Duration.ofMillis(50);
    engine.listener =
        new Recording() {
          @Override
          public void assigned(Set<TopicPartition> partitions) {
            super.assigned(partitions);
            EngineFixture.hold(engine.release);
          }
        };
    engine.start((value, context) -> {});
    engine.assign(P0);
    engine.add(P0, 0, 3);
    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(3));
    engine.assign(P1);
    engine.add(P1, 0, 3);
    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P1)).isEqualTo(3));
    assertThat(seen).containsExactly("assigned [orders-0]");

    engine.release.countDown();
    await().until(() -> seen.size() == 3);
    assertThat(seen)
        .containsExactly("assigned [orders-0]", "revoked [orders-0]", "assigned [orders-1]");
  }

  /** The group may go on to move partitions until the last commit is through. */
  @Test
  void afterItsEndNothingMoreIsTold() {
    engine.commitInterval = Duration.ofHours(1);
    engine.listener = new Recording();
    engine.start((value, context) -> running.countDown());
    engine.assign(P0);
    engine.add(P0, 0, 1);
    EngineFixture.hold(running);
    engine.consumer.refusals.add(new RebalanceInProgressException());
    engine.consumer.onRefusal =
        () -> engine.consumer.schedulePollTask(() -> engine.consumer.rebalance(List.of(P1)));

    engine.handle().close(Duration.ofMinutes(1));

    assertThat(engine.consumer.lastCommit(P0)).isEqualTo(1);
    assertThat(seen).containsExactly("assigned [orders-0]", "revoked [orders-0]");
  }

  @Test
  void whatAListenerThrowsHasNoEffect() {
    engine.listener =
        new ConsumerListener() {
          @Override
          public void assigned(Set<TopicPartition> partitions) {
            throw new IllegalStateException("assigned");
          }

          @Override
          public void revoked(Set<TopicPartition> partitions) {
            seen.add("revoked");
            throw new AssertionError("revoked");
          }
        };
    engine.start((value, context) -> {});
    engine.assign(P0);
    engine.add(P0, 0, 3);
    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(3));

    engine.handle().close(Duration.ofSeconds(5));

    assertThat(engine.handle().state()).isEqualTo(ConsumerState.CLOSED);
    assertThat(seen).containsExactly("revoked");
  }

  @Test
  void lostIsToldOfWhatWasOwned() {
    engine.listener = new Recording();
    engine.start((value, context) -> {});
    engine.assign(P0);
    engine.consumer.schedulePollTask(() -> engine.consumer.lose(List.of(P0, P1)));

    await().until(() -> seen.size() == 2);
    assertThat(seen).containsExactly("assigned [orders-0]", "lost [orders-0]");
  }

  @Test
  void idleIsToldOnceAndEndsWithTheNextRecord() {
    engine.idleAfter = Duration.ofMillis(100);
    engine.listener = new Recording();
    engine.start((value, context) -> {});
    engine.assign(P0);
    await().until(() -> seen.contains("idle"));
    engine.letTurnsPass();

    engine.add(P0, 0, 1);
    await().until(() -> seen.size() == 4);

    assertThat(seen).containsExactly("assigned [orders-0]", "idle", "active", "idle");
  }

  @Test
  void aConsumerWhoseHandlerRunsIsNotIdle() {
    engine.idleAfter = Duration.ofMillis(1);
    engine.listener = new Recording();
    engine.start(
        (value, context) -> {
          running.countDown();
          engine.release.await();
          seen.add("handled");
        });
    engine.assign(P0);
    await().until(() -> seen.contains("idle"));
    engine.add(P0, 0, 1);
    EngineFixture.hold(running);
    await().until(() -> seen.contains("active"));
    engine.letTurnsPass();
    engine.release.countDown();

    await().until(() -> seen.stream().filter("idle"::equals).count() == 2);
    assertThat(seen.stream().filter(event -> !event.startsWith("assigned")))
        .containsExactly("idle", "active", "handled", "idle");
  }

  @Test
  void theEndRevokesWhatIsOwnedAndAListenerMayCloseItsConsumer() {
    engine.drain = Duration.ofSeconds(20);
    engine.listener =
        new Recording() {
          @Override
          public void assigned(Set<TopicPartition> partitions) {
            engine.handle().close(Duration.ofSeconds(20));
            super.assigned(partitions);
          }
        };
    engine.start((value, context) -> {});
    engine.consumer.schedulePollTask(() -> engine.consumer.rebalance(List.of(P0)));

    await().until(() -> engine.handle().state() == ConsumerState.CLOSED);
    assertThat(seen).containsExactly("assigned [orders-0]", "revoked [orders-0]");
  }

  @Test
  void aListenerThatHangsAtTheEndIsInterruptedAndTheEndComesInTime() {
    CountDownLatch interrupted = new CountDownLatch(1);
    engine.listener =
        new Recording() {
          @Override
          public void revoked(Set<TopicPartition> partitions) {
            try {
              engine.release.await();
            } catch (InterruptedException e) {
              interrupted.countDown();
            }
          }
        };
    engine.start((value, context) -> {});
    engine.assign(P0);

    engine.handle().close(Duration.ofMillis(500));

    EngineFixture.hold(interrupted);
    await().until(() -> engine.handle().state() == ConsumerState.CLOSED);
  }

  /** Long enough for a record that is not held back. */
  private boolean isHandledWithinAMoment() {
    try {
      return running.await(300, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private class Recording implements ConsumerListener {
    @Override
    public void assigned(Set<TopicPartition> partitions) {
      seen.add("assigned " + partitions);
    }

    @Override
    public void revoked(Set<TopicPartition> partitions) {
      seen.add("revoked " + partitions);
    }

    @Override
    public void lost(Set<TopicPartition> partitions) {
      seen.add("lost " + partitions);
    }

    @Override
    public void idle(Duration lasting) {
      seen.add("idle");
    }

    @Override
    public void active() {
      seen.add("active");
    }
  }
}
