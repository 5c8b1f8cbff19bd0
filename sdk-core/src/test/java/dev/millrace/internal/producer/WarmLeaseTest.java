package dev.millrace.internal.producer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.config.PoolDefinition;
import dev.millrace.internal.metrics.ClientMeters;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a handle on a producer costs that is already there. The clients have no broker. */
class WarmLeaseTest {
  private static final PoolDefinition DEFINITION = PoolDefinition.defaults();

  private final ProducerPool pool =
      new ProducerPool(new ClientMeters(null), new CompositeMeterRegistry());
  private final AtomicInteger made = new AtomicInteger();

  @AfterEach
  void close() {
    pool.close(Duration.ZERO);
  }

  @Test
  void aWarmNameTakesNoLockAndMakesNothing() throws Exception {
    ProducerSlot slot = pool.lease("warm", DEFINITION, this::settings);
    CountDownLatch making = new CountDownLatch(1);
    CountDownLatch release = new CountDownLatch(1);
    CompletableFuture<ProducerSlot> cold =
        CompletableFuture.supplyAsync(
            () ->
                pool.lease(
                    "cold",
                    DEFINITION,
                    () -> {
                      making.countDown();
                      awaited(release);
                      return settings();
                    }));
    assertThat(making.await(60, TimeUnit.SECONDS)).isTrue();

    // Another thread holds the pool's lock, and does not let go before this one has its handles.
    for (int i = 0; i < 100; i++) {
      assertThat(pool.lease("warm", DEFINITION, this::settings)).isSameAs(slot);
    }

    assertThat(made).hasValue(1);
    assertThat(slot.statistics().openHandles()).isEqualTo(101);
    release.countDown();
    assertThat(cold.get(60, TimeUnit.SECONDS)).isNotSameAs(slot);
  }

  @Test
  void whatIsRetiredIsNeverLeasedAgain() {
    Leases leases = new Leases();
    assertThat(leases.take()).isTrue();
    assertThat(leases.retire()).isFalse();
    assertThat(leases.take()).isTrue();
    assertThat(leases.giveBack()).isFalse();
    assertThat(leases.giveBack()).isTrue();

    assertThat(leases.retire()).isTrue();
    assertThat(leases.take()).isFalse();
    assertThat(leases.open()).isZero();
    assertThat(leases.isIdle()).isFalse();
  }

  @Test
  void aClosedPoolMakesNoMore() {
    pool.close(Duration.ZERO);

    assertThatThrownBy(() -> pool.lease("late", DEFINITION, this::settings))
        .isInstanceOf(IllegalStateException.class);
    assertThat(made).hasValue(0);
  }

  private Map<String, Object> settings() {
    made.incrementAndGet();
    return Map.of(
        "max.block.ms",
        "1000",
        "bootstrap.servers",
        "127.0.0.1:1",
        "client.id",
        "lease-" + made.get(),
        "key.serializer",
        ByteArraySerializer.class,
        "value.serializer",
        ByteArraySerializer.class);
  }

  private static void awaited(CountDownLatch latch) {
    try {
      assertThat(latch.await(60, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
