package dev.millrace.internal.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class DeadLetterOutageTest {
  private static final long NOW = 1_000_000_000;

  private final Throwable refused = new IllegalStateException("refused");

  private final DeadLetterOutage outage = new DeadLetterOutage();

  @Test
  void whileNothingFailsEverybodyMayTry() {
    assertThat(outage.waitNanos(NOW)).isZero();
    assertThat(outage.waitNanos(NOW)).isZero();
  }

  @Test
  void afterAFailureOneTriesWhenItsTimeHasComeAndTheOthersWait() {
    long wait = outage.failed(NOW, refused);

    assertThat(outage.waitNanos(NOW + wait - 1)).as("too early").isPositive();
    assertThat(outage.waitNanos(NOW + wait)).as("the one that tries").isZero();
    assertThat(outage.waitNanos(NOW + wait)).as("another").isPositive();
  }

  @Test
  void aSuccessEndsIt() {
    long wait = outage.failed(NOW, refused);
    assertThat(outage.failed(NOW + wait, refused)).as("longer each time").isGreaterThan(wait);
    assertThat(outage.failures()).isEqualTo(2);
    assertThat(outage.sinceNanos()).isEqualTo(NOW);

    outage.succeeded();

    assertThat(outage.failures()).isZero();
    assertThat(outage.waitNanos(NOW)).isZero();
  }
}
