package dev.millrace.internal.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.config.BackoffDefinition;
import dev.millrace.config.ConfigLoader;
import dev.millrace.config.ConsumerDefinition;
import dev.millrace.config.FailureClasses;
import dev.millrace.config.FailurePolicy;
import dev.millrace.config.IdempotencyDefinition;
import dev.millrace.config.MessageIdKey;
import dev.millrace.config.MissingId;
import dev.millrace.config.RetryDefinition;
import dev.millrace.idempotency.Claim;
import dev.millrace.idempotency.InMemoryIdempotencyStore;
import dev.millrace.internal.channel.Deliveries;
import dev.millrace.internal.channel.Delivery;
import dev.millrace.internal.channel.DeliveryProcessor.Progress;
import dev.millrace.internal.channel.Parking;
import dev.millrace.internal.idempotency.Idempotency;
import dev.millrace.internal.metrics.ConsumerMeters;
import dev.millrace.internal.time.SteppedClock;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** A record whose message another one has, and that is to be skipped. */
class MessageClaimsTest {
  private static final Duration LONG = Duration.ofHours(1);

  private final SteppedClock clock = new SteppedClock();
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final InMemoryIdempotencyStore store = InMemoryIdempotencyStore.ofAtMost(10);
  private final List<Delivery> resumed = new ArrayList<>();
  private final Delivery delivery = Deliveries.delivery(0);
  private final Parking parking =
      new Parking() {
        @Override
        public void resume(Delivery parked) {
          resumed.add(parked);
        }

        @Override
        public void finish(Delivery parked) {
          throw new AssertionError("The worker ends it.");
        }
      };
  private final ConsumerMeters meters = new ConsumerMeters(registry, "consumer", "group");
  private final Settlement settlement =
      new Settlement(
          "consumer",
          parking,
          RecordEnds.AT_ONCE,
          new RetryTopics(withoutRetryTopics()),
          clock,
          clock.timer(),
          null,
          meters,
          new SendOutages(),
          (record, cause) -> {
            throw new AssertionError(cause);
          });
  private final MessageClaims claims =
      new MessageClaims(
          "consumer",
          new Idempotency(
              store,
              new IdempotencyDefinition(
                  MessageIdKey.HEADER, "message-id", MissingId.FAIL, LONG, LONG),
              "group",
              record -> "m"),
          settlement,
          new Recovery(
              new RetryDefinition(
                  1, new BackoffDefinition(Duration.ofMillis(1), 1, Duration.ofMillis(1), 0)),
              new Classification("consumer", FailureClasses.NONE, null),
              null,
              FailurePolicy.STOP,
              clock),
          parking,
          clock,
          clock.timer(),
          meters.idempotency());

  MessageClaimsTest() {
    store.begin(new Claim("group", "m", "another", LONG, LONG));
    delivery.ticket().start();
  }

  /** What waits behind it does not wait for its timer. */
  @Test
  void oneThatWaitsHasItsLaneGoOnAtOnce() {
    assertThat(claims.begin(delivery)).isEqualTo(Progress.PARKED);

    assertThat(delivery.skip()).isTrue();
    settlement.skipped(delivery);

    assertThat(resumed).containsExactly(delivery);
    clock.advance(LONG.toNanos());
    assertThat(resumed).as("once").hasSize(1);
  }

  @Test
  void oneThatIsToBeSkippedDoesNotWait() {
    assertThat(delivery.skip()).as("while the store is asked").isFalse();

    assertThat(claims.begin(delivery)).isEqualTo(Progress.ENDED);

    assertThat(delivery.ticket().isDone()).isTrue();
    assertThat(registry.get("millrace.consumer.records").tag("outcome", "skipped").counter())
        .extracting(counter -> counter.count())
        .isEqualTo(1.0);
    clock.advance(LONG.toNanos());
    assertThat(resumed).isEmpty();
  }

  @Test
  void oneThatWaitsIsAskedForAgainWhenItsTimeHasCome() {
    assertThat(claims.begin(delivery)).isEqualTo(Progress.PARKED);

    clock.advance(LONG.toNanos());

    assertThat(resumed).containsExactly(delivery);
    assertThat(delivery.ticket().start()).isTrue();
  }

  private static ConsumerDefinition withoutRetryTopics() {
    return Objects.requireNonNull(
        ConfigLoader.create()
            .parse(
                "test",
                """
            kafka:
              common: { bootstrap-servers: 'localhost:9092' }
              consumers: { consumer: { topics: [topic], group-id: group } }
            """)
            .consumers()
            .get("consumer"));
  }
}
