package dev.millrace.internal.start;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.config.RateLimitDefinition;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How many may start within a time, and when the next one may. */
class RateLimitTest {
  private static final long SECOND = Duration.ofSeconds(1).toNanos();

  private static RateLimit limit(int records, long nowNanos) {
    return new RateLimit(new RateLimitDefinition(records, Duration.ofSeconds(1)), nowNanos);
  }

  @Test
  void theyStartEvenly() {
    RateLimit limit = limit(4, 0);

    assertThat(limit.take(1, 0)).isTrue();
    assertThat(limit.take(1, 0)).isFalse();
    assertThat(limit.free(0)).isZero();
    assertThat(limit.nextNanos()).isEqualTo(SECOND / 4);
    assertThat(limit.take(1, SECOND / 4 - 1)).isFalse();
    assertThat(limit.take(1, SECOND / 4)).isTrue();
  }

  /** The system's nanoseconds begin anywhere, and come to their end some day. */
  @ParameterizedTest
  @CsvSource({"1, 0", "3, 7", "10, -1000000000", "200, 9223372036854775000", "4999, 5"})
  void withinItsTimeAtMostATenthMoreStartsWheneverItIsAsked(int records, long from) {
    RateLimit limit = limit(records, from);
    Random random = new Random(records);
    Deque<Long> started = new ArrayDeque<>();
    long passed = 0;
    int all = 0;
    while (passed < 20 * SECOND) {
      // As late as a busy machine's worker, now and then.
      passed += random.nextInt(100) == 0 ? SECOND / 20 : random.nextInt((int) (SECOND / records));
      while (limit.take(1, from + passed)) {
        started.add(passed);
        all++;
      }
      while (!started.isEmpty() && passed - started.peek() >= SECOND) {
        started.remove();
      }
      assertThat(started).hasSizeLessThanOrEqualTo(records + Math.max(0, records / 10 - 1));
    }
    assertThat(all)
        .isLessThanOrEqualTo((int) (passed * records / SECOND) + Math.max(1, records / 10));
  }

  @Test
  void whoComesLateMakesUpForATenth() {
    RateLimit limit = limit(100, 0);
    while (limit.take(1, 0)) {}

    int taken = 0;
    for (long now = SECOND / 20; now <= 10 * SECOND; now += SECOND / 20) {
      while (limit.take(1, now)) {
        taken++;
      }
    }
    assertThat(taken).isEqualTo(1000);
  }

  @Test
  void whatNobodyUsedIsLostButForATenth() {
    RateLimit limit = limit(100, 0);

    assertThat(limit.free(60 * SECOND)).isEqualTo(10);
    for (int i = 0; i < 10; i++) {
      assertThat(limit.take(1, 60 * SECOND)).isTrue();
    }
    assertThat(limit.take(1, 60 * SECOND)).isFalse();
  }

  @Test
  void aBatchStartsAsAWholeAndIsPaidAfterwards() {
    RateLimit limit = limit(4, 0);

    assertThat(limit.take(3, 0)).isTrue();
    assertThat(limit.nextNanos()).isEqualTo(SECOND / 4 * 3);
    assertThat(limit.take(1, SECOND / 4 * 3 - 1)).isFalse();
    limit.giveBack(3);
    assertThat(limit.take(1, 0)).isTrue();
  }
}
