package dev.millrace.internal.listener;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.ConsumerListener;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

class SharedListenerTest {
  private static final TopicPartition P0 = new TopicPartition("orders", 0);
  private static final TopicPartition P1 = new TopicPartition("orders", 1);
  private static final Duration SOON = Duration.ofSeconds(60);

  private final List<String> told = new CopyOnWriteArrayList<>();
  private final CountDownLatch release = new CountDownLatch(1);

  @Test
  void idleIsToldWhenAllAreAndActiveWhenOneIsAgain() {
    SharedListener shared = new SharedListener(listener(), 2);

    shared.idle(Duration.ofSeconds(9));
    shared.active();
    shared.idle(Duration.ofSeconds(8));
    assertThat(told).isEmpty();
    shared.idle(Duration.ofSeconds(3));
    assertThat(told).containsExactly("idle PT3S");
    shared.active();
    shared.active();
    assertThat(told).containsExactly("idle PT3S", "active");
    shared.idle(Duration.ofSeconds(2));
    shared.idle(Duration.ofSeconds(1));
    assertThat(told).containsExactly("idle PT3S", "active", "idle PT1S");
  }

  @Test
  void instancesTakeTurnsAndOneThatIsInterruptedGoesWithoutItsOwn() throws Exception {
    SharedListener shared = new SharedListener(listener(), 3);
    Thread holder = started(() -> shared.assigned(Set.of(P0)));
    await().until(() -> told.contains("assigned [orders-0]"));
    Thread waiting = started(() -> shared.lost(Set.of(P1)));
    Thread interrupted = started(() -> shared.revoked(Set.of(P1)));
    await().until(() -> isWaiting(waiting) && isWaiting(interrupted));

    interrupted.interrupt();
    interrupted.join(SOON.toMillis());
    assertThat(interrupted.isAlive()).isFalse();
    assertThat(told).containsExactly("assigned [orders-0]");

    release.countDown();
    waiting.join(SOON.toMillis());
    holder.join(SOON.toMillis());
    assertThat(told).containsExactly("assigned [orders-0]", "returned", "lost [orders-1]");
  }

  private static boolean isWaiting(Thread thread) {
    return thread.getState() == Thread.State.WAITING;
  }

  private static Thread started(Runnable work) {
    Thread thread = new Thread(work);
    thread.start();
    return thread;
  }

  private static void hold(CountDownLatch latch) {
    try {
      assertThat(latch.await(SOON.toSeconds(), TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private ConsumerListener listener() {
    return new ConsumerListener() {
      @Override
      public void assigned(Set<TopicPartition> partitions) {
        told.add("assigned " + partitions);
        hold(release);
        told.add("returned");
      }

      @Override
      public void revoked(Set<TopicPartition> partitions) {
        told.add("revoked " + partitions);
      }

      @Override
      public void lost(Set<TopicPartition> partitions) {
        told.add("lost " + partitions);
      }

      @Override
      public void idle(Duration lasting) {
        told.add("idle " + lasting);
      }

      @Override
      public void active() {
        told.add("active");
      }
    };
  }
}
