package dev.millrace.internal.consumer;

import static dev.millrace.internal.consumer.EngineFixture.P0;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.config.HandlerThreads;
import java.time.Duration;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.JRE;

@EnabledForJreRange(min = JRE.JAVA_21, disabledReason = "virtual threads need Java 21")
class VirtualThreadsTest {
  private final EngineFixture engine = new EngineFixture();

  @AfterEach
  void leavesNothing() {
    engine.close();
  }

  @Test
  void handlersRunOnNamedVirtualThreadsAsManyAsThereArePermits() {
    engine.handlerThreads = HandlerThreads.VIRTUAL;
    engine.permits = 20;
    CountDownLatch all = new CountDownLatch(20);
    Set<Thread> threads = ConcurrentHashMap.newKeySet();
    engine.start(
        (value, context) -> {
          threads.add(Thread.currentThread());
          all.countDown();
          engine.release.await();
        });
    engine.assign(P0);
    engine.add(P0, 0, 20);

    EngineFixture.hold(all);

    assertThat(threads)
        .hasSize(20)
        .allMatch(VirtualThreadsTest::isVirtual)
        .allMatch(thread -> thread.getName().startsWith("millrace-engine-test-worker-"));
    engine.release.countDown();
    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(20));
    engine.handle().close();
    assertThat(threads).allSatisfy(thread -> await().until(() -> !thread.isAlive()));
  }

  @Test
  void aHandlerThatHangsIsInterruptedAtTheEnd() {
    engine.handlerThreads = HandlerThreads.VIRTUAL;
    CountDownLatch running = new CountDownLatch(1);
    AtomicInteger interrupted = new AtomicInteger();
    Queue<Long> handled = new ConcurrentLinkedQueue<>();
    engine.start(
        (value, context) -> {
          if (context.offset() > 0) {
            handled.add(context.offset());
            return;
          }
          running.countDown();
          try {
            new CountDownLatch(1).await();
          } catch (InterruptedException e) {
            interrupted.incrementAndGet();
            throw e;
          }
        });
    engine.assign(P0);
    engine.add(P0, 0, 3);
    EngineFixture.hold(running);
    await().until(() -> handled.size() == 2);

    engine.handle().close(Duration.ofMillis(500));

    await().untilAsserted(() -> assertThat(interrupted).hasValue(1));
  }

  private static boolean isVirtual(Thread thread) {
    try {
      return (boolean) Thread.class.getMethod("isVirtual").invoke(thread);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }
}
