package dev.millrace.idempotency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class InMemoryIdempotencyStoreTest {
  private static final Duration MINUTE = Duration.ofMinutes(1);

  private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 1000); // It may overflow.
  private final InMemoryIdempotencyStore store = InMemoryIdempotencyStore.ofAtMost(3, nanos::get);

  private static Claim claim(String id) {
    return new Claim("group", id, "holder of " + id, MINUTE, MINUTE);
  }

  private void handle(String id) {
    assertThat(store.begin(claim(id))).isEqualTo(new Begun.Granted());
    assertThat(store.done(claim(id))).isTrue();
  }

  @Test
  void forgetsTheOldestWhenItIsFullAndSaysSo() {
    handle("1");
    handle("2");
    handle("3");
    assertThat(store.forgottenEarly()).isZero();

    handle("4");

    assertThat(store.forgottenEarly()).isOne();
    assertThat(store.begin(claim("2"))).isEqualTo(new Begun.Done());
    assertThat(store.begin(claim("3"))).isEqualTo(new Begun.Done());
    assertThat(store.begin(claim("4"))).isEqualTo(new Begun.Done());
    assertThat(store.begin(claim("1"))).isEqualTo(new Begun.Granted());
  }

  @Test
  void neverForgetsWhatIsAtWork() {
    assertThat(store.begin(claim("at work"))).isEqualTo(new Begun.Granted());
    for (int i = 0; i < 10; i++) {
      handle("m-" + i);
    }

    assertThat(store.begin(new Claim("group", "at work", "another", MINUTE, MINUTE)))
        .isEqualTo(new Begun.Held(MINUTE));
  }

  @Test
  void givesTheRoomOfWhatHasExpiredBack() {
    handle("1");
    handle("2");
    assertThat(store.begin(claim("crashed"))).isEqualTo(new Begun.Granted());
    nanos.addAndGet(MINUTE.toNanos());

    handle("3");

    assertThat(store.size()).isEqualTo(1);
    assertThat(store.forgottenEarly()).isZero();
    assertThat(store.begin(claim("1"))).isEqualTo(new Begun.Granted());
  }

  @Test
  void refusesToRememberNothing() {
    assertThatThrownBy(() -> InMemoryIdempotencyStore.ofAtMost(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("0 messages");
  }
}
