package dev.millrace.internal.consumer;

import dev.millrace.config.BackoffDefinition;
import dev.millrace.config.BatchDefinition;
import dev.millrace.config.CircuitBreakerDefinition;
import dev.millrace.config.ConsumerDefinition;
import dev.millrace.config.ConsumerMode;
import dev.millrace.config.ConsumerTransactionDefinition;
import dev.millrace.config.DeadLetterDefinition;
import dev.millrace.config.DeliverySemantics;
import dev.millrace.config.FailurePolicy;
import dev.millrace.config.Format;
import dev.millrace.config.GroupMembership;
import dev.millrace.config.GroupProtocol;
import dev.millrace.config.HandlerThreads;
import dev.millrace.config.HandlerWatchdogDefinition;
import dev.millrace.config.IdempotencyDefinition;
import dev.millrace.config.KeylessRecords;
import dev.millrace.config.MessageIdKey;
import dev.millrace.config.MissingId;
import dev.millrace.config.MissingOffset;
import dev.millrace.config.Ordering;
import dev.millrace.config.Oversize;
import dev.millrace.config.RateLimitDefinition;
import dev.millrace.config.RetryDefinition;
import dev.millrace.config.Subscription;
import dev.millrace.config.TuningProfile;
import dev.millrace.config.WatchdogPolicy;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Definitions of consumers, as the loader would make them. */
final class TestDefinitions {
  private TestDefinitions() {}

  static ConsumerDefinition consumer(
      Ordering ordering,
      int concurrency,
      int channelCapacity,
      int attempts,
      boolean deadLetters,
      Duration commitInterval,
      Duration drainTimeout) {
    return consumer(
        new MissingOffset(MissingOffset.Start.EARLIEST),
        DeliverySemantics.AT_LEAST_ONCE,
        ordering,
        KeylessRecords.SPREAD,
        concurrency,
        HandlerThreads.PLATFORM,
        channelCapacity,
        1 << 20,
        attempts,
        Duration.ofMillis(20),
        deadLetters,
        FailurePolicy.STOP,
        new HandlerWatchdogDefinition(Duration.ofMinutes(1), WatchdogPolicy.WARN),
        new BatchDefinition(500, Duration.ofMillis(100)),
        commitInterval,
        0,
        drainTimeout,
        Duration.ofMinutes(1),
        null,
        null);
  }

  static ConsumerDefinition consumer(
      MissingOffset onMissingOffset,
      DeliverySemantics semantics,
      Ordering ordering,
      KeylessRecords keylessRecords,
      int concurrency,
      HandlerThreads handlerThreads,
      int channelCapacity,
      long channelBytes,
      int attempts,
      Duration backoff,
      boolean deadLetters,
      FailurePolicy onFailure,
      HandlerWatchdogDefinition watchdog,
      BatchDefinition batch,
      Duration commitInterval,
      int commitRecords,
      Duration drainTimeout,
      Duration idleAfter,
      @Nullable CircuitBreakerDefinition circuitBreaker,
      @Nullable RateLimitDefinition rateLimit) {
    return consumer(
        onMissingOffset,
        semantics,
        ordering,
        keylessRecords,
        concurrency,
        handlerThreads,
        channelCapacity,
        channelBytes,
        attempts,
        backoff,
        deadLetters,
        onFailure,
        watchdog,
        batch,
        null,
        commitInterval,
        commitRecords,
        drainTimeout,
        idleAfter,
        circuitBreaker,
        rateLimit);
  }

  /** What the loader would refuse, but for at-least-once. */
  static ConsumerDefinition idempotent(DeliverySemantics semantics) {
    return consumer(
        new MissingOffset(MissingOffset.Start.EARLIEST),
        semantics,
        Ordering.KEY,
        KeylessRecords.SPREAD,
        1,
        HandlerThreads.PLATFORM,
        100,
        1 << 20,
        1,
        Duration.ofMillis(20),
        false,
        FailurePolicy.STOP,
        new HandlerWatchdogDefinition(Duration.ofMinutes(1), WatchdogPolicy.WARN),
        new BatchDefinition(500, Duration.ofMillis(100)),
        new IdempotencyDefinition(
            MessageIdKey.HEADER,
            "message-id",
            MissingId.FAIL,
            Duration.ofMinutes(1),
            Duration.ofHours(1)),
        Duration.ofMillis(100),
        0,
        Duration.ofSeconds(5),
        Duration.ofMinutes(1),
        null,
        null);
  }

  private static ConsumerDefinition consumer(
      MissingOffset onMissingOffset,
      DeliverySemantics semantics,
      Ordering ordering,
      KeylessRecords keylessRecords,
      int concurrency,
      HandlerThreads handlerThreads,
      int channelCapacity,
      long channelBytes,
      int attempts,
      Duration backoff,
      boolean deadLetters,
      FailurePolicy onFailure,
      HandlerWatchdogDefinition watchdog,
      BatchDefinition batch,
      @Nullable IdempotencyDefinition idempotency,
      Duration commitInterval,
      int commitRecords,
      Duration drainTimeout,
      Duration idleAfter,
      @Nullable CircuitBreakerDefinition circuitBreaker,
      @Nullable RateLimitDefinition rateLimit) {
    return new ConsumerDefinition(
        "engine-test",
        List.of("localhost:9092"),
        Subscription.toTopics("orders"),
        "group",
        ConsumerMode.GROUP,
        new GroupMembership(GroupProtocol.CLASSIC, null),
        onMissingOffset,
        semantics,
        ordering,
        keylessRecords,
        concurrency,
        1,
        handlerThreads,
        channelCapacity,
        channelBytes,
        Format.AUTO,
        TuningProfile.BALANCED,
        new RetryDefinition(attempts, new BackoffDefinition(backoff, 1, backoff, 0)),
        deadLetters ? new DeadLetterDefinition(null, false, Oversize.STOP) : null,
        onFailure,
        watchdog,
        batch,
        new ConsumerTransactionDefinition(null, 2, Duration.ofSeconds(10)),
        idempotency,
        circuitBreaker,
        rateLimit,
        commitInterval,
        commitRecords,
        drainTimeout,
        Duration.ofSeconds(5),
        idleAfter,
        Map.of());
  }
}
