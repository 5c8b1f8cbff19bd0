package dev.millrace.internal.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.consumer.ConsumerExplanation.Outage;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class SendOutagesTest {
  private static final long NOW = 1_000_000_000;
  private static final long LATER = NOW + TimeUnit.SECONDS.toNanos(1);

  private final SendOutages outages = new SendOutages();

  @Test
  void whatATopicTakesSaysNothingOfAnother() {
    long wait = outages.failed("a.dlq", new IllegalStateException("forbidden"), NOW);

    outages.taken("b.dlq");

    assertThat(outages.isOut("a.dlq")).isTrue();
    assertThat(outages.waitNanos("a.dlq", NOW)).isEqualTo(wait);
    assertThat(outages.waitNanos("b.dlq", NOW)).isZero();
  }

  @Test
  void aTopicThatFailsHoldsNoRecordForAnotherUp() {
    outages.failed("a.dlq", new IllegalStateException("forbidden"), NOW);

    assertThat(outages.isOut("b.dlq")).isFalse();
    assertThat(outages.waitNanos("b.dlq", NOW)).isZero();
  }

  @Test
  void severalAreToldAsOneSinceTheFirst() {
    outages.failed("b.dlq", new IllegalStateException("forbidden"), NOW);
    outages.failed("b.dlq", new IllegalStateException("still forbidden"), LATER);
    outages.failed("a.dlq", new IllegalStateException("gone"), LATER);
    outages.failed("c.dlq", new IllegalStateException("full"), NOW);
    outages.taken("c.dlq");

    Outage told = outages.explain(LATER).orElseThrow();

    assertThat(told.topics()).isEqualTo(List.of("a.dlq", "b.dlq"));
    assertThat(told.lasting()).isEqualTo(Duration.ofSeconds(1));
    assertThat(told.failures()).isEqualTo(3);
    assertThat(told.reason()).contains("still forbidden");
  }

  /** Its records' partitions have gone: another instance finds out when it ends. */
  @Test
  void oneThatNobodyTriesAnyMoreIsNotToldForEver() {
    outages.failed("a.dlq", new IllegalStateException("forbidden"), NOW);
    assertThat(outages.explain(NOW + TimeUnit.SECONDS.toNanos(11))).isPresent();

    assertThat(outages.explain(NOW + TimeUnit.MINUTES.toNanos(2))).isEmpty();
    assertThat(outages.isOut("a.dlq")).as("it has not ended").isTrue();
  }

  @Test
  void oneThatARecordGoesOnTryingIsToldAsLongAsItLasts() {
    long now = NOW;
    for (int n = 0; n < 30; n++) {
      now += outages.failed("a.dlq", new IllegalStateException("forbidden"), now);
    }

    Outage told = outages.explain(now).orElseThrow();
    assertThat(told.lasting()).isGreaterThan(Duration.ofMinutes(4));
    assertThat(told.failures()).isEqualTo(30);
  }
}
