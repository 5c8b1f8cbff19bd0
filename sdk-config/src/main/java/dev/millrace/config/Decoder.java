package dev.millrace.config;

import static dev.millrace.config.ScalarType.BOOLEAN;
import static dev.millrace.config.ScalarType.FAILURE;
import static dev.millrace.config.ScalarType.ID_PART;
import static dev.millrace.config.ScalarType.MEMBER;
import static dev.millrace.config.ScalarType.MISSING_OFFSET;
import static dev.millrace.config.ScalarType.PARTITION;
import static dev.millrace.config.ScalarType.RETRY_TOPIC_NAMES;
import static dev.millrace.config.ScalarType.SERVER;
import static dev.millrace.config.ScalarType.TEXT;
import static dev.millrace.config.ScalarType.TOPIC;
import static dev.millrace.config.ScalarType.TOPICS_PATTERN;
import static dev.millrace.config.ScalarType.decimal;
import static dev.millrace.config.ScalarType.duration;
import static dev.millrace.config.ScalarType.oneOf;
import static dev.millrace.config.ScalarType.size;
import static dev.millrace.config.ScalarType.whole;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Step 4: merged nodes → records. Each single value is checked here, what relates two is not. */
final class Decoder {
  private static final ScalarType<DeliverySemantics> SEMANTICS = oneOf(DeliverySemantics.class);
  private static final ScalarType<Format> FORMAT = oneOf(Format.class);
  private static final ScalarType<TuningProfile> PROFILE = oneOf(TuningProfile.class);
  private static final ScalarType<Ordering> ORDERING = oneOf(Ordering.class);
  private static final ScalarType<KeylessRecords> KEYLESS_RECORDS = oneOf(KeylessRecords.class);
  private static final ScalarType<HandlerThreads> HANDLER_THREADS = oneOf(HandlerThreads.class);
  private static final ScalarType<ConsumerMode> MODE = oneOf(ConsumerMode.class);
  private static final ScalarType<GroupProtocol> GROUP_PROTOCOL = oneOf(GroupProtocol.class);
  private static final ScalarType<WhenFull> WHEN_FULL = oneOf(WhenFull.class);
  private static final ScalarType<MessageIdKey> MESSAGE_ID_KEY = oneOf(MessageIdKey.class);
  private static final ScalarType<MissingId> MISSING_ID = oneOf(MissingId.class);
  private static final ScalarType<FailurePolicy> FAILURE_POLICY = oneOf(FailurePolicy.class);
  private static final ScalarType<Oversize> OVERSIZE = oneOf(Oversize.class);
  private static final ScalarType<Duration> PAUSE = duration("1ms", "24h");

  private static final ScalarType<WatchdogPolicy> WATCHDOG_POLICY = oneOf(WatchdogPolicy.class);

  private Decoder() {}

  static CommonDefinition common(Fields in) {
    return new CommonDefinition(
        in.list("bootstrap-servers", SERVER),
        in.optional("service-name", TEXT),
        in.optional("instance-id", ID_PART),
        in.value("connect-timeout", Defaults.CONNECT_TIMEOUT, PAUSE),
        in.settings("properties"));
  }

  static ProducerDefinition producer(String name, Fields in) {
    return new ProducerDefinition(
        name,
        in.list("bootstrap-servers", SERVER),
        in.list("topics", TOPIC),
        in.value("delivery-semantics", Defaults.DELIVERY_SEMANTICS, SEMANTICS),
        in.optional("enable-idempotence", BOOLEAN),
        in.value("format", Defaults.FORMAT, FORMAT),
        in.value("profile", Defaults.PROFILE, PROFILE),
        transaction(in.in("transaction")),
        pool(in),
        in.settings("properties"));
  }

  private static TransactionDefinition transaction(Fields in) {
    return new TransactionDefinition(
        in.optional("id-prefix", ID_PART),
        in.value("slots", Defaults.TRANSACTION_SLOTS, whole(1, 64)),
        in.value("timeout", Defaults.TRANSACTION_TIMEOUT, duration("1s", "24h")),
        in.value("acquire-timeout", Defaults.TRANSACTION_ACQUIRE_TIMEOUT, duration("0ms", "1h")));
  }

  private static ConsumerTransactionDefinition consumerTransaction(Fields in) {
    return new ConsumerTransactionDefinition(
        in.optional("id-prefix", ID_PART),
        in.value("slices", Defaults.SLICES, whole(1, 16)),
        in.value("timeout", Defaults.SLICE_TIMEOUT, duration("1s", "15m")));
  }

  private static PoolDefinition pool(Fields in) {
    return new PoolDefinition(
        in.value("instances", Defaults.INSTANCES, whole(1, 16)),
        in.value("idle-eviction", Defaults.IDLE_EVICTION, duration("0ms", "168h")),
        new InFlightDefinition(
            in.value(
                "max-in-flight-records", Defaults.IN_FLIGHT.maxRecords(), whole(0, 10_000_000)),
            in.value("max-in-flight-bytes", Defaults.IN_FLIGHT.maxBytes(), size("0B", "1024GB")),
            in.value("when-full", Defaults.IN_FLIGHT.whenFull(), WHEN_FULL)));
  }

  static ConsumerDefinition consumer(String name, Fields in) {
    int concurrency = in.value("concurrency", Defaults.CONCURRENCY, whole(1, 100_000));
    int instances = in.value("instances", Defaults.INSTANCES, whole(1, 64));
    BatchDefinition batch = batch(in.in("batch"));
    ConsumerMode mode = in.value("mode", Defaults.MODE, MODE);
    DeliverySemantics semantics =
        in.value("delivery-semantics", Defaults.DELIVERY_SEMANTICS, SEMANTICS);
    return new ConsumerDefinition(
        name,
        in.list("bootstrap-servers", SERVER),
        subscription(in),
        in.value("group-id", "", TEXT),
        mode,
        membership(in),
        in.value("on-missing-offset", Defaults.onMissingOffset(mode, semantics), MISSING_OFFSET),
        semantics,
        in.value("ordering", Defaults.ordering(mode), ORDERING),
        in.value("keyless-records", Defaults.KEYLESS_RECORDS, KEYLESS_RECORDS),
        concurrency,
        instances,
        in.value("handler-threads", Defaults.HANDLER_THREADS, HANDLER_THREADS),
        in.value(
            "channel-capacity",
            Defaults.channelCapacity(concurrency, instances, batch.maxRecords()),
            whole(1, 10_000_000)),
        in.value("channel-bytes", Defaults.CHANNEL_BYTES, size("1B", "1024GB")),
        in.value("format", Defaults.FORMAT, FORMAT),
        in.value("profile", Defaults.PROFILE, PROFILE),
        retry(in.in("retry"), semantics),
        in.has("dead-letter") ? deadLetter(in.in("dead-letter")) : null,
        in.value("on-failure", Defaults.onFailure(semantics), FAILURE_POLICY),
        handlerWatchdog(in.in("handler-watchdog")),
        batch,
        consumerTransaction(in.in("transaction")),
        in.has("idempotency") ? idempotency(in.in("idempotency")) : null,
        in.has("circuit-breaker") ? circuitBreaker(in.in("circuit-breaker")) : null,
        in.has("rate-limit") ? rateLimit(in.in("rate-limit")) : null,
        in.value("commit-interval", Defaults.COMMIT_INTERVAL, duration("10ms", "1h")),
        in.value("commit-records", Defaults.COMMIT_RECORDS, whole(0, 10_000_000)),
        in.value("drain-timeout", Defaults.DRAIN_TIMEOUT, duration("0ms", "1h")),
        in.value("close-timeout", Defaults.CLOSE_TIMEOUT, duration("0ms", "1h")),
        in.value("idle-after", Defaults.IDLE_AFTER, duration("1s", "24h")),
        in.settings("properties"));
  }

  /** All three are read, for the mistakes in them; that only one is there is checked later. */
  private static Subscription subscription(Fields in) {
    List<String> topics = in.list("topics", TOPIC);
    Subscription.Matching pattern = in.optional("topics-pattern", TOPICS_PATTERN);
    List<Subscription.Partition> partitions = in.list("partitions", PARTITION);
    if (pattern != null) {
      return pattern;
    }
    return in.has("partitions")
        ? new Subscription.Partitions(partitions)
        : new Subscription.Topics(topics);
  }

  private static GroupMembership membership(Fields in) {
    GroupProtocol asSetting =
        in.in("properties").value("group.protocol", Defaults.GROUP_PROTOCOL, GROUP_PROTOCOL);
    return new GroupMembership(
        in.value("group-protocol", asSetting, GROUP_PROTOCOL),
        in.optional("group-instance-id", MEMBER));
  }

  private static RetryDefinition retry(Fields in, DeliverySemantics semantics) {
    Fields backoff = in.in("backoff");
    return new RetryDefinition(
        in.value("max-attempts", Defaults.maxAttempts(semantics), whole(1, 1_000_000)),
        in.value("max-duration", Defaults.RETRY_MAX_DURATION, duration("0ms", "168h")),
        new BackoffDefinition(
            backoff.value("initial", Defaults.BACKOFF_INITIAL, PAUSE),
            backoff.value(
                "multiplier",
                Defaults.BACKOFF_MULTIPLIER,
                decimal("from 1 to 100", it -> it >= 1 && it <= 100)),
            backoff.value("max", Defaults.BACKOFF_MAX, PAUSE),
            backoff.value(
                "jitter",
                Defaults.BACKOFF_JITTER,
                decimal("from 0 to below 1", it -> it >= 0 && it < 1))),
        new FailureClasses(in.list("retryable", FAILURE), in.list("non-retryable", FAILURE)),
        new RetryTopicsDefinition(
            in.list("topics", PAUSE),
            in.value("topic-names", RetryTopicsDefinition.DEFAULT_NAMES, RETRY_TOPIC_NAMES),
            in.value("create-topics", Defaults.CREATE_RETRY_TOPICS, BOOLEAN),
            in.value("keep-key-order", Defaults.KEEP_KEY_ORDER, BOOLEAN)));
  }

  private static HandlerWatchdogDefinition handlerWatchdog(Fields in) {
    return new HandlerWatchdogDefinition(
        in.value("after", Defaults.WATCHDOG_AFTER, duration("1s", "24h")),
        in.value("policy", Defaults.WATCHDOG_POLICY, WATCHDOG_POLICY));
  }

  private static BatchDefinition batch(Fields in) {
    return new BatchDefinition(
        in.value("max-records", Defaults.BATCH_MAX_RECORDS, whole(1, 1_000_000)),
        in.value("max-wait", Defaults.BATCH_MAX_WAIT, duration("0ms", "1m")));
  }

  private static @Nullable IdempotencyDefinition idempotency(Fields in) {
    IdempotencyDefinition idempotency =
        new IdempotencyDefinition(
            in.value("key", Defaults.MESSAGE_ID_KEY, MESSAGE_ID_KEY),
            in.value("header", Defaults.MESSAGE_ID_HEADER, TEXT),
            in.value("missing-id", Defaults.MISSING_ID, MISSING_ID),
            in.value("lease", Defaults.LEASE, duration("1s", "24h")),
            in.value("retention", Defaults.RETENTION, duration("1m", "87600h")));
    return in.value("enabled", Defaults.IDEMPOTENCY_ENABLED, BOOLEAN) ? idempotency : null;
  }

  private static @Nullable CircuitBreakerDefinition circuitBreaker(Fields in) {
    int window = in.value("window", Defaults.CIRCUIT_WINDOW, whole(1, 10_000));
    CircuitBreakerDefinition circuitBreaker =
        new CircuitBreakerDefinition(
            in.value("failure-rate", Defaults.FAILURE_RATE, whole(1, 100)),
            window,
            in.value("minimum-calls", Defaults.minimumCalls(window), whole(1, 10_000)),
            in.value("open-for", Defaults.OPEN_FOR, duration("1s", "24h")),
            in.value("probes", Defaults.PROBES, whole(1, 1_000)));
    return in.value("enabled", Defaults.CIRCUIT_BREAKER_ENABLED, BOOLEAN) ? circuitBreaker : null;
  }

  private static @Nullable RateLimitDefinition rateLimit(Fields in) {
    RateLimitDefinition rateLimit =
        new RateLimitDefinition(
            in.value("records", Defaults.NO_RATE, whole(1, 10_000_000)),
            in.value("per", Defaults.RATE_PER, duration("100ms", "24h")));
    return in.value("enabled", Defaults.RATE_LIMIT_ENABLED, BOOLEAN) ? rateLimit : null;
  }

  private static @Nullable DeadLetterDefinition deadLetter(Fields in) {
    DeadLetterDefinition deadLetter =
        new DeadLetterDefinition(
            in.optional("topic", TOPIC),
            in.value("create-topic", Defaults.CREATE_DEAD_LETTER_TOPIC, BOOLEAN),
            in.value("oversize", Defaults.OVERSIZE, OVERSIZE));
    return in.value("enabled", Defaults.DEAD_LETTER_ENABLED, BOOLEAN) ? deadLetter : null;
  }
}
