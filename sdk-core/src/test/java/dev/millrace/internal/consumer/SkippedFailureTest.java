package dev.millrace.internal.consumer;

import static dev.millrace.internal.consumer.EngineFixture.P0;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.BatchRecord;
import dev.millrace.internal.delivery.Handling;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.kafka.common.errors.SerializationException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** {@code on-failure: skip}, for every kind of handler. */
class SkippedFailureTest {
  private final EngineFixture engine = new EngineFixture();
  private final Queue<Long> attempts = new ConcurrentLinkedQueue<>();
  private final ExecutorService executor = Executors.newSingleThreadExecutor();

  @BeforeEach
  void skips() {
    engine.skipsFailed = true;
  }

  @AfterEach
  void leavesNothing() {
    engine.close();
    executor.shutdownNow();
  }

  @Test
  void ofAWorker() {
    engine.start((value, context) -> handle(context.offset()));
    theFailedOneIsPassedOverAfterItsAttempts();
  }

  @Test
  void ofAnExecutor() {
    engine.start(Handling.onExecutor((value, context) -> handle(context.offset()), executor));
    theFailedOneIsPassedOverAfterItsAttempts();
  }

  @Test
  void ofAStage() {
    engine.startAsync(
        (value, context) -> CompletableFuture.runAsync(() -> handle(context.offset()), executor));
    theFailedOneIsPassedOverAfterItsAttempts();
  }

  @Test
  void ofABatch() {
    engine.startBatch(
        batch -> {
          for (BatchRecord<String> record : batch) {
            try {
              handle(record.context().offset());
            } catch (IllegalStateException failure) {
              record.retry(failure);
            }
          }
        });
    theFailedOneIsPassedOverAfterItsAttempts();
  }

  @Test
  void whatCantBeDecodedIsPassedOverToo() {
    engine.deserializer =
        (topic, bytes) -> {
          String value = new String(bytes, UTF_8);
          if (value.equals("value-1")) {
            throw new SerializationException("not a number");
          }
          return value;
        };
    engine.start((value, context) -> attempts.add(context.offset()));
    engine.assign(P0);
    engine.add(P0, 0, 3);

    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(3));
    await().until(() -> engine.outcome("skipped") == 1 && engine.outcome("handled") == 2);
    assertThat(attempts).containsExactlyInAnyOrder(0L, 2L);
  }

  private void handle(long offset) {
    attempts.add(offset);
    if (offset == 1) {
      throw new IllegalStateException("out of stock");
    }
  }

  private void theFailedOneIsPassedOverAfterItsAttempts() {
    engine.assign(P0);
    engine.add(P0, 0, 3);

    await().untilAsserted(() -> assertThat(engine.consumer.lastCommit(P0)).isEqualTo(3));
    await().until(() -> engine.outcome("skipped") == 1 && engine.outcome("handled") == 2);
    assertThat(attempts).containsExactlyInAnyOrder(0L, 1L, 1L, 2L);
    assertThat(engine.outcome("retried")).isEqualTo(1);
    assertThat(engine.outcome("stopped")).isZero();
  }
}
