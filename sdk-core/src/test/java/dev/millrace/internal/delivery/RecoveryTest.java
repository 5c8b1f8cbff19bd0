package dev.millrace.internal.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.config.BackoffDefinition;
import dev.millrace.config.DeadLetterDefinition;
import dev.millrace.config.FailurePolicy;
import dev.millrace.config.Oversize;
import dev.millrace.config.RetryDefinition;
import dev.millrace.config.RetryTopicsDefinition;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class RecoveryTest {
  private static final DeadLetterDefinition DEAD_LETTER =
      new DeadLetterDefinition(null, true, Oversize.STOP);
  private static final RetryDefinition FOUR_ATTEMPTS = retry(4, 0);
  private final RuntimeException failure = new RuntimeException("no stock");

  @Test
  void waitsLongerEachTimeUpToTheMaximum() {
    Recovery recovery = recovery(retry(6, 0), null);

    List<Long> millis =
        IntStream.rangeClosed(1, 5)
            .mapToObj(attempt -> (Outcome.RetryLater) recovery.after(attempt, 0, failure))
            .map(retry -> TimeUnit.NANOSECONDS.toMillis(retry.delayNanos()))
            .toList();

    assertThat(millis).containsExactly(100L, 200L, 400L, 500L, 500L);
  }

  @Test
  void jitterSpreadsTheWaitByItsShare() {
    Recovery recovery = recovery(retry(3, 0.2), null);
    List<Long> millis =
        IntStream.range(0, 1_000)
            .mapToObj(i -> (Outcome.RetryLater) recovery.after(1, 0, failure))
            .map(retry -> TimeUnit.NANOSECONDS.toMillis(retry.delayNanos()))
            .toList();

    assertThat(millis).allMatch(wait -> wait >= 80 && wait <= 120);
    assertThat(millis.stream().distinct().count()).isGreaterThan(10);
  }

  @Test
  void whenTheAttemptsAreUsedUpTheRecordIsADeadLetter() {
    Recovery recovery = recovery(FOUR_ATTEMPTS, DEAD_LETTER);

    assertThat(recovery.after(3, 0, failure)).isInstanceOf(Outcome.RetryLater.class);
    assertThat(recovery.after(4, 0, failure)).isEqualTo(new Outcome.DeadLetter(failure));
  }

  @Test
  void whenTheAttemptsInPlaceAreUsedUpTheRecordGoesOneLevelOn() {
    Recovery recovery =
        recovery(
            new RetryDefinition(
                4,
                FOUR_ATTEMPTS.backoff(),
                new RetryTopicsDefinition(
                    List.of(Duration.ofSeconds(1), Duration.ofSeconds(5)),
                    RetryTopicsDefinition.DEFAULT_NAMES,
                    true)),
            DEAD_LETTER);

    assertThat(recovery.after(3, 0, failure)).isInstanceOf(Outcome.RetryLater.class);
    assertThat(recovery.after(4, 0, failure)).isEqualTo(new Outcome.RetryTopic(1, failure));
    assertThat(recovery.after(3, 1, failure)).isInstanceOf(Outcome.RetryLater.class);
    assertThat(recovery.after(4, 1, failure)).isEqualTo(new Outcome.RetryTopic(2, failure));
    assertThat(recovery.after(4, 2, failure)).isEqualTo(new Outcome.DeadLetter(failure));
    // There were more levels when it was sent there.
    assertThat(recovery.after(4, 7, failure)).isEqualTo(new Outcome.DeadLetter(failure));
    assertThat(recovery.giveUp(failure)).isEqualTo(new Outcome.DeadLetter(failure));
  }

  @Test
  void withoutADeadLetterTheConsumerStops() {
    Recovery recovery = recovery(FOUR_ATTEMPTS, null);

    assertThat(recovery.after(4, 0, failure)).isEqualTo(new Outcome.Stop(failure));
  }

  @Test
  void oneAttemptMeansNoRetry() {
    assertThat(recovery(retry(1, 0), DEAD_LETTER).after(1, 0, failure))
        .isInstanceOf(Outcome.DeadLetter.class);
  }

  @Test
  void bytesThatDoNotDecodeAreNotTriedAgain() {
    assertThat(recovery(FOUR_ATTEMPTS, DEAD_LETTER).giveUp(failure))
        .isEqualTo(new Outcome.DeadLetter(failure));
    assertThat(recovery(FOUR_ATTEMPTS, null).giveUp(failure)).isEqualTo(new Outcome.Stop(failure));
  }

  @Test
  void anErrorIsAFailureLikeAnyOther() {
    assertThat(recovery(FOUR_ATTEMPTS, null).after(1, 0, new StackOverflowError()))
        .isInstanceOf(Outcome.RetryLater.class);
  }

  @Test
  void aRecordIsPassedOverWhereThePolicySaysSoAndNoDeadLetterTakesIt() {
    Recovery recovery = new Recovery(retry(1, 0), null, FailurePolicy.SKIP);

    assertThat(recovery.after(1, 0, failure)).isEqualTo(new Outcome.Skip(failure));
    assertThat(recovery.giveUp(failure)).isEqualTo(new Outcome.Skip(failure));
    assertThat(new Recovery(retry(1, 0), DEAD_LETTER, FailurePolicy.SKIP).after(1, 0, failure))
        .isEqualTo(new Outcome.DeadLetter(failure));
  }

  private static Recovery recovery(
      RetryDefinition retry, @Nullable DeadLetterDefinition deadLetter) {
    return new Recovery(retry, deadLetter, FailurePolicy.STOP);
  }

  private static RetryDefinition retry(int attempts, double jitter) {
    return new RetryDefinition(
        attempts, new BackoffDefinition(Duration.ofMillis(100), 2, Duration.ofMillis(500), jitter));
  }
}
