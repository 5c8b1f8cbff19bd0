package dev.millrace.internal.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.config.BackoffDefinition;
import dev.millrace.config.DeadLetterDefinition;
import dev.millrace.config.FailureClasses;
import dev.millrace.config.FailurePolicy;
import dev.millrace.config.Oversize;
import dev.millrace.config.RetryDefinition;
import dev.millrace.config.RetryTopicsDefinition;
import dev.millrace.consumer.FailureClassifier;
import dev.millrace.consumer.FailureClassifier.Decision;
import dev.millrace.internal.time.SteppedClock;
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
  private final SteppedClock clock = new SteppedClock();
  private final long began = clock.nanos();

  @Test
  void waitsLongerEachTimeUpToTheMaximum() {
    Recovery recovery = recovery(retry(6, 0), null);

    List<Long> millis =
        IntStream.rangeClosed(1, 5)
            .mapToObj(attempt -> (Outcome.RetryLater) recovery.after(attempt(attempt, 0), failure))
            .map(retry -> TimeUnit.NANOSECONDS.toMillis(retry.delayNanos()))
            .toList();

    assertThat(millis).containsExactly(100L, 200L, 400L, 500L, 500L);
  }

  @Test
  void jitterSpreadsTheWaitByItsShare() {
    Recovery recovery = recovery(retry(3, 0.2), null);
    List<Long> millis =
        IntStream.range(0, 1_000)
            .mapToObj(i -> (Outcome.RetryLater) recovery.after(attempt(1, 0), failure))
            .map(retry -> TimeUnit.NANOSECONDS.toMillis(retry.delayNanos()))
            .toList();

    assertThat(millis).allMatch(wait -> wait >= 80 && wait <= 120);
    assertThat(millis.stream().distinct().count()).isGreaterThan(10);
  }

  @Test
  void whenTheAttemptsAreUsedUpTheRecordIsADeadLetter() {
    Recovery recovery = recovery(FOUR_ATTEMPTS, DEAD_LETTER);

    assertThat(recovery.after(attempt(3, 0), failure)).isInstanceOf(Outcome.RetryLater.class);
    assertThat(recovery.after(attempt(4, 0), failure))
        .isEqualTo(new Outcome.DeadLetter(failure, GaveUp.ATTEMPTS_USED_UP));
  }

  @Test
  void whenTheAttemptsInPlaceAreUsedUpTheRecordGoesOneLevelOn() {
    Recovery recovery =
        recovery(levels(4, Duration.ofSeconds(1), Duration.ofSeconds(5)), DEAD_LETTER);

    assertThat(recovery.after(attempt(3, 0), failure)).isInstanceOf(Outcome.RetryLater.class);
    assertThat(recovery.after(attempt(4, 0), failure))
        .isEqualTo(new Outcome.RetryTopic(1, failure));
    assertThat(recovery.after(attempt(3, 1), failure)).isInstanceOf(Outcome.RetryLater.class);
    assertThat(recovery.after(attempt(4, 1), failure))
        .isEqualTo(new Outcome.RetryTopic(2, failure));
    assertThat(recovery.after(attempt(4, 2), failure))
        .isEqualTo(new Outcome.DeadLetter(failure, GaveUp.ATTEMPTS_USED_UP));
    // There were more levels when it was sent there.
    assertThat(recovery.after(attempt(4, 7), failure))
        .isEqualTo(new Outcome.DeadLetter(failure, GaveUp.ATTEMPTS_USED_UP));
  }

  @Test
  void withoutADeadLetterTheConsumerStops() {
    Recovery recovery = recovery(FOUR_ATTEMPTS, null);

    assertThat(recovery.after(attempt(4, 0), failure))
        .isEqualTo(new Outcome.Stop(failure, GaveUp.ATTEMPTS_USED_UP));
  }

  @Test
  void oneAttemptMeansNoRetry() {
    assertThat(recovery(retry(1, 0), DEAD_LETTER).after(attempt(1, 0), failure))
        .isInstanceOf(Outcome.DeadLetter.class);
  }

  @Test
  void bytesThatDoNotDecodeAreNotTriedAgain() {
    assertThat(recovery(FOUR_ATTEMPTS, DEAD_LETTER).afterUndecodable(attempt(1, 0), failure))
        .isEqualTo(new Outcome.DeadLetter(failure, GaveUp.UNDECODABLE));
    assertThat(recovery(FOUR_ATTEMPTS, null).afterUndecodable(attempt(1, 0), failure))
        .isEqualTo(new Outcome.Stop(failure, GaveUp.UNDECODABLE));
  }

  @Test
  void bytesThatDoNotDecodeAreTriedAgainWhenTheServiceSaysSo() {
    Recovery recovery =
        recovery(FOUR_ATTEMPTS, FailureClasses.NONE, thrown -> Decision.RETRY, DEAD_LETTER);

    assertThat(recovery.afterUndecodable(attempt(1, 0), failure))
        .isInstanceOf(Outcome.RetryLater.class);
    assertThat(recovery.afterUndecodable(attempt(4, 0), failure))
        .isEqualTo(new Outcome.DeadLetter(failure, GaveUp.ATTEMPTS_USED_UP));
  }

  @Test
  void whatNoAttemptCanHelpSkipsThoseInPlaceAndTheRetryTopics() {
    RetryDefinition retry = levels(4, Duration.ofSeconds(1));
    FailureClasses classes = new FailureClasses(List.of(), List.of(IllegalArgumentException.class));
    Throwable hopeless = new NumberFormatException("12a");

    assertThat(recovery(retry, classes, null, DEAD_LETTER).after(attempt(1, 0), hopeless))
        .isEqualTo(
            new Outcome.DeadLetter(
                hopeless, "non-retryable: java.lang.IllegalArgumentException listed"));
    assertThat(recovery(retry, classes, null, null).after(attempt(1, 0), hopeless))
        .isInstanceOf(Outcome.Stop.class);
    assertThat(recovery(retry, classes, null, DEAD_LETTER).after(attempt(1, 0), failure))
        .isInstanceOf(Outcome.RetryLater.class);
  }

  @Test
  void noAttemptIsDueAfterTheMaximumDuration() {
    // Waits of 100, 200 and 400 ms.
    RetryDefinition retry = within(Duration.ofMillis(350), retry(4, 0));
    Recovery recovery = recovery(retry, DEAD_LETTER);

    assertThat(recovery.after(attempt(1, 0), failure)).isInstanceOf(Outcome.RetryLater.class);
    clock.advance(Duration.ofMillis(150).toNanos());
    assertThat(recovery.after(attempt(2, 0), failure)).isInstanceOf(Outcome.RetryLater.class);
    clock.advance(1);
    assertThat(recovery.after(attempt(2, 0), failure))
        .isEqualTo(new Outcome.DeadLetter(failure, GaveUp.MAX_DURATION));
    assertThat(recovery.after(attempt(4, 0), failure))
        .isEqualTo(new Outcome.DeadLetter(failure, GaveUp.ATTEMPTS_USED_UP));
  }

  @Test
  void whenTheMaximumDurationIsReachedTheRecordGoesOneLevelOn() {
    RetryDefinition retry = within(Duration.ofMillis(50), levels(4, Duration.ofSeconds(1)));

    assertThat(recovery(retry, DEAD_LETTER).after(attempt(1, 0), failure))
        .isEqualTo(new Outcome.RetryTopic(1, failure));
    assertThat(recovery(retry, DEAD_LETTER).after(attempt(1, 1), failure))
        .isEqualTo(new Outcome.DeadLetter(failure, GaveUp.MAX_DURATION));
  }

  @Test
  void anErrorIsAFailureLikeAnyOther() {
    assertThat(recovery(FOUR_ATTEMPTS, null).after(attempt(1, 0), new StackOverflowError()))
        .isInstanceOf(Outcome.RetryLater.class);
  }

  @Test
  void aRecordIsPassedOverWhereThePolicySaysSoAndNoDeadLetterTakesIt() {
    assertThat(skipping(null).after(attempt(1, 0), failure))
        .isEqualTo(new Outcome.Skip(failure, GaveUp.ATTEMPTS_USED_UP));
    assertThat(skipping(null).giveUp(failure, GaveUp.BY_HANDLER))
        .isEqualTo(new Outcome.Skip(failure, GaveUp.BY_HANDLER));
    assertThat(skipping(DEAD_LETTER).after(attempt(1, 0), failure))
        .isEqualTo(new Outcome.DeadLetter(failure, GaveUp.ATTEMPTS_USED_UP));
  }

  private Recovery skipping(@Nullable DeadLetterDefinition deadLetter) {
    return new Recovery(
        retry(1, 0),
        new Classification("c", FailureClasses.NONE, null),
        deadLetter,
        FailurePolicy.SKIP,
        clock);
  }

  private Recovery recovery(RetryDefinition retry, @Nullable DeadLetterDefinition deadLetter) {
    return recovery(retry, FailureClasses.NONE, null, deadLetter);
  }

  private Recovery recovery(
      RetryDefinition retry,
      FailureClasses classes,
      @Nullable FailureClassifier classifier,
      @Nullable DeadLetterDefinition deadLetter) {
    return new Recovery(
        retry, new Classification("c", classes, classifier), deadLetter, FailurePolicy.STOP, clock);
  }

  private Attempt attempt(int number, int level) {
    return new Attempt(number, level, began);
  }

  private static RetryDefinition levels(int attempts, Duration... delays) {
    return new RetryDefinition(
        attempts,
        retry(attempts, 0).backoff(),
        new RetryTopicsDefinition(List.of(delays), RetryTopicsDefinition.DEFAULT_NAMES, true));
  }

  private static RetryDefinition within(Duration most, RetryDefinition retry) {
    return new RetryDefinition(
        retry.maxAttempts(), most, retry.backoff(), retry.classes(), retry.topics());
  }

  private static RetryDefinition retry(int attempts, double jitter) {
    return new RetryDefinition(
        attempts, new BackoffDefinition(Duration.ofMillis(100), 2, Duration.ofMillis(500), jitter));
  }
}
