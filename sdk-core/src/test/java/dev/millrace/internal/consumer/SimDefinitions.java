package dev.millrace.internal.consumer;

import dev.millrace.config.BatchDefinition;
import dev.millrace.config.CircuitBreakerDefinition;
import dev.millrace.config.ConsumerDefinition;
import dev.millrace.config.DeliverySemantics;
import dev.millrace.config.FailurePolicy;
import dev.millrace.config.HandlerThreads;
import dev.millrace.config.HandlerWatchdogDefinition;
import dev.millrace.config.KeylessRecords;
import dev.millrace.config.MissingOffset;
import dev.millrace.config.Ordering;
import dev.millrace.config.RateLimitDefinition;
import dev.millrace.config.WatchdogPolicy;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** What the services of a world want, as its seed has it. */
final class SimDefinitions {
  private static final List<Ordering> ORDERINGS = List.of(Ordering.values());
  private static final List<WatchdogPolicy> POLICIES = List.of(WatchdogPolicy.values());

  private SimDefinitions() {}

  /**
   * @param limits what has handlers wait is drawn from it, so that worlds without are as ever
   */
  static ConsumerDefinition drawn(Random random, Random limits, boolean exactlyOnce) {
    boolean deadLetters = random.nextInt(6) > 0;
    return TestDefinitions.consumer(
        onMissingOffset(random),
        exactlyOnce ? DeliverySemantics.EXACTLY_ONCE : DeliverySemantics.AT_LEAST_ONCE,
        ORDERINGS.get(random.nextInt(ORDERINGS.size())),
        KeylessRecords.SPREAD,
        1 + random.nextInt(4),
        HandlerThreads.PLATFORM,
        SimWorld.MAX_POLL + random.nextInt(20),
        1 << 20,
        1 + random.nextInt(3),
        Duration.ofMillis(20),
        deadLetters,
        FailurePolicy.STOP,
        watchdog(random, deadLetters),
        new BatchDefinition(1 + random.nextInt(6), Duration.ofMillis(random.nextInt(60))),
        Duration.ofMillis(10 + random.nextInt(90)),
        random.nextBoolean() ? 0 : 1 + random.nextInt(20),
        Duration.ofMillis(random.nextInt(200)),
        Duration.ofMillis(50 + random.nextInt(500)),
        circuitBreaker(limits),
        rateLimit(limits));
  }

  private static @Nullable CircuitBreakerDefinition circuitBreaker(Random random) {
    if (random.nextInt(6) > 0) {
      return null;
    }
    int window = 1 + random.nextInt(10);
    return new CircuitBreakerDefinition(
        1 + random.nextInt(100),
        window,
        1 + random.nextInt(window),
        Duration.ofMillis(1 + random.nextInt(500)),
        1 + random.nextInt(4));
  }

  private static @Nullable RateLimitDefinition rateLimit(Random random) {
    return random.nextInt(6) > 0
        ? null
        : new RateLimitDefinition(
            20 + random.nextInt(200), Duration.ofMillis(100 + random.nextInt(900)));
  }

  /** Most begin at the first record: then none may be missed. */
  private static MissingOffset onMissingOffset(Random random) {
    return switch (random.nextInt(8)) {
      case 0 -> new MissingOffset(MissingOffset.Start.LATEST);
      case 1 ->
          new MissingOffset(
              MissingOffset.Start.BY_DURATION, Duration.ofMillis(random.nextInt(500)));
      case 2 -> new MissingOffset(MissingOffset.Start.FAIL);
      default -> new MissingOffset(MissingOffset.Start.EARLIEST);
    };
  }

  private static HandlerWatchdogDefinition watchdog(Random random, boolean deadLetters) {
    WatchdogPolicy policy = POLICIES.get(random.nextInt(POLICIES.size()));
    boolean possible = deadLetters || policy != WatchdogPolicy.DEAD_LETTER;
    return new HandlerWatchdogDefinition(
        Duration.ofMillis(50 + random.nextInt(500)), possible ? policy : WatchdogPolicy.WARN);
  }

  /** Returns what their engines are told: the same, but for a bug. */
  static ConsumerDefinition told(ConsumerDefinition wanted, SimBug bug) {
    return TestDefinitions.consumer(
        bug.onMissingOffset(wanted.onMissingOffset()),
        wanted.deliverySemantics(),
        wanted.ordering(),
        wanted.keylessRecords(),
        wanted.concurrency(),
        wanted.handlerThreads(),
        wanted.channelCapacity(),
        wanted.channelBytes(),
        wanted.retry().maxAttempts(),
        wanted.retry().backoff().initial(),
        wanted.deadLetter() != null,
        wanted.onFailure(),
        bug.watchdog(wanted.handlerWatchdog()),
        wanted.batch(),
        wanted.commitInterval(),
        wanted.commitRecords(),
        wanted.drainTimeout(),
        wanted.idleAfter(),
        wanted.circuitBreaker(),
        wanted.rateLimit());
  }
}
