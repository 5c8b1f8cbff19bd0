package dev.millrace.internal.channel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.internal.time.EngineClock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class SpreadTest {
  private long now = Long.MAX_VALUE; // Nanoseconds may overflow.

  @Test
  void recordsHandledOneByOneHaveALaneEach() {
    Spread spread = new Spread(1, 0, clock());
    Set<Long> seen = new HashSet<>();

    assertThat(LongStream.range(0, 1_000).allMatch(i -> seen.add(spread.next()))).isTrue();
  }

  @Test
  void asManyAsMakeABatchShareALane() {
    Spread spread = new Spread(3, Duration.ofSeconds(1).toNanos(), clock());

    assertThat(numbers(spread, 7)).containsExactly(1L, 1L, 1L, 2L, 2L, 2L, 3L);
  }

  @Test
  void whatComesWhenABatchNoLongerWaitsHasAnotherLane() {
    Spread spread = new Spread(100, Duration.ofMillis(50).toNanos(), clock());
    assertThat(numbers(spread, 2)).containsExactly(1L, 1L);

    now += Duration.ofMillis(50).toNanos() - 1;
    assertThat(numbers(spread, 2)).containsExactly(1L, 1L);

    now += 1;
    assertThat(numbers(spread, 2)).containsExactly(2L, 2L);
  }

  @Test
  void withoutAWaitWhatIsPolledAtTheSameTimeStillSharesALane() {
    Spread spread = new Spread(100, 0, clock());
    assertThat(numbers(spread, 2)).containsExactly(1L, 1L);

    now += Duration.ofMillis(1).toNanos();
    assertThat(numbers(spread, 2)).containsExactly(2L, 2L);
  }

  private static List<Long> numbers(Spread spread, int count) {
    return LongStream.range(0, count).mapToObj(i -> spread.next()).toList();
  }

  private EngineClock clock() {
    return new EngineClock() {
      @Override
      public long nanos() {
        return now;
      }

      @Override
      public Instant now() {
        return Instant.EPOCH;
      }
    };
  }
}
