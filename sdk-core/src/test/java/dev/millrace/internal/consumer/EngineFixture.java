package dev.millrace.internal.consumer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.config.BatchDefinition;
import dev.millrace.config.CircuitBreakerDefinition;
import dev.millrace.config.ConsumerDefinition;
import dev.millrace.config.DeliverySemantics;
import dev.millrace.config.FailureClasses;
import dev.millrace.config.FailurePolicy;
import dev.millrace.config.HandlerThreads;
import dev.millrace.config.HandlerWatchdogDefinition;
import dev.millrace.config.KeylessRecords;
import dev.millrace.config.MissingOffset;
import dev.millrace.config.Ordering;
import dev.millrace.config.RateLimitDefinition;
import dev.millrace.config.RetryDefinition;
import dev.millrace.config.RetryTopicsDefinition;
import dev.millrace.config.WatchdogPolicy;
import dev.millrace.consumer.AsyncRecordHandler;
import dev.millrace.consumer.BatchHandler;
import dev.millrace.consumer.ConsumerExplanation;
import dev.millrace.consumer.ConsumerListener;
import dev.millrace.consumer.ConsumerState;
import dev.millrace.consumer.FailureClassifier;
import dev.millrace.consumer.MessageConsumer;
import dev.millrace.consumer.OrderingKey;
import dev.millrace.consumer.RecordHandler;
import dev.millrace.internal.delivery.DeadLetters;
import dev.millrace.internal.delivery.Handling;
import dev.millrace.internal.idempotency.Idempotency;
import dev.millrace.internal.keys.RetryLogs;
import dev.millrace.internal.metrics.ConsumerMeters;
import dev.millrace.internal.runtime.EngineRuntime;
import dev.millrace.internal.runtime.ThreadedRuntime;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongFunction;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.jspecify.annotations.Nullable;

/** An engine on Kafka's fake consumer, and the hands to drive it. */
final class EngineFixture implements AutoCloseable {
  /** Long enough for a busy machine; a test that works does not wait for it. */
  static final Duration SOON = Duration.ofSeconds(60);

  static final TopicPartition P0 = new TopicPartition("orders", 0);
  static final TopicPartition P1 = new TopicPartition("orders", 1);
  static final TopicPartition P2 = new TopicPartition("orders", 2);

  /** Of the first retry topic, if there are {@link #retryDelays}. */
  static final TopicPartition RETRY = new TopicPartition("orders.group.retry.1", 0);

  static final int CAPACITY = 40;
  static final int MAX_POLL = 10;

  final FakeConsumer consumer;
  final SimpleMeterRegistry registry = new SimpleMeterRegistry();

  /** Opened at the end, for handlers that wait on it. */
  final CountDownLatch release = new CountDownLatch(1);

  MissingOffset onMissingOffset = new MissingOffset(MissingOffset.Start.EARLIEST);
  DeliverySemantics semantics = DeliverySemantics.AT_LEAST_ONCE;
  Ordering ordering = Ordering.KEY;
  KeylessRecords keylessRecords = KeylessRecords.SPREAD;
  OrderingKey orderingKey = ConsumerRecord::key;
  LongFunction<@Nullable String> keys = offset -> "key-" + offset;
  Deserializer<String> deserializer = new StringDeserializer();
  int permits = 4;
  long channelBytes = 1 << 20;
  HandlerThreads handlerThreads = HandlerThreads.PLATFORM;
  int attempts = 2;
  Duration backoff = Duration.ofMillis(20);
  List<Duration> retryDelays = List.of();

  /** With them, and {@link #retryDelays}, the order of keys is kept. */
  @Nullable RetryLogs retryLogs;

  int batchRecords = 10;
  Duration batchWait = Duration.ofMillis(20);
  Duration drain = Duration.ofSeconds(5);
  Duration commitInterval = Duration.ofMillis(20);
  HandlerWatchdogDefinition watchdog =
      new HandlerWatchdogDefinition(Duration.ofMinutes(1), WatchdogPolicy.WARN);
  boolean skipsFailed;
  int commitRecords;
  Duration idleAfter = Duration.ofMinutes(1);
  @Nullable ConsumerListener listener;
  @Nullable Idempotency idempotency;
  @Nullable CircuitBreakerDefinition circuitBreaker;
  @Nullable RateLimitDefinition rateLimit;
  @Nullable FailureClassifier failureClassifier;
  FailureClasses failureClasses = FailureClasses.NONE;
  Duration maxDuration = Duration.ZERO;
  Consumer<MessageConsumer> onEnd = ended -> {};
  @Nullable Function<ProducerRecord<byte[], byte[]>, CompletableFuture<RecordMetadata>>
      deadLetterSender;

  private @Nullable EngineHandle handle;

  /** Partitions start at their beginning without the engine's doing. */
  EngineFixture() {
    this("earliest");
  }

  /**
   * @param reset what the client does by itself about a missing offset
   */
  EngineFixture(String reset) {
    consumer = new FakeConsumer(reset, P0, P1, P2, RETRY);
  }

  void start(RecordHandler<String> handler) {
    start(Handling.inWorker(handler));
  }

  void startBatch(BatchHandler<String> handler) {
    start(Handling.inBatches(handler));
  }

  void startAsync(AsyncRecordHandler<String> handler) {
    start(Handling.asynchronous(handler));
  }

  void start(Handling<String> handling) {
    ConsumerDefinition definition = definition();
    EngineRuntime runtime = ThreadedRuntime.of(definition, handling);
    StopRequest stop = new StopRequest(runtime.clock());
    ConsumerEngine engine =
        new ConsumerEngine(
            definition,
            MAX_POLL,
            consumer,
            deserializer,
            handling,
            !DeadLetters.areSent(definition)
                ? null
                : new DeadLetters("group", definition.deadLetter(), deadLetterSender),
            new ConsumerMeters(registry, definition.name(), definition.groupId()),
            stop,
            runtime,
            new ServiceHooks(listener, orderingKey, null, idempotency, failureClassifier),
            null,
            null,
            retryLogs);
    handle =
        new EngineHandle(
            definition.name(),
            Duration.ofSeconds(5),
            Map.of(definition.name(), engine),
            stop,
            onEnd);
    handle.start();
  }

  EngineHandle handle() {
    EngineHandle started = handle;
    assertThat(started).isNotNull();
    return started;
  }

  void assign(TopicPartition... partitions) {
    consumer.schedulePollTask(() -> consumer.rebalance(List.of(partitions)));
    await()
        .untilAsserted(
            () -> assertThat(handle().assignment()).containsExactlyInAnyOrder(partitions));
  }

  /** Has all partitions taken away, and waits until this one is gone. */
  void leave(TopicPartition partition) {
    consumer.schedulePollTask(() -> consumer.rebalance(List.of()));
    await().until(() -> !handle().assignment().contains(partition));
  }

  /** Has the next polls return records with the keys that {@link #keys} says. */
  void add(TopicPartition partition, long from, int count) {
    consumer.schedulePollTask(() -> addNow(partition, from, count));
  }

  /** Poll thread. */
  void addNow(TopicPartition partition, long from, int count, Header... headers) {
    long end = consumer.endOffsets(List.of(partition)).get(partition);
    consumer.updateEndOffsets(Map.of(partition, Math.max(end, from + count)));
    for (long offset = from; offset < from + count; offset++) {
      String text = keys.apply(offset);
      byte[] key = text == null ? null : bytes(text);
      byte[] value = bytes("value-" + offset);
      consumer.addRecord(
          new ConsumerRecord<>(
              partition.topic(),
              partition.partition(),
              offset,
              0L,
              TimestampType.CREATE_TIME,
              key == null ? ConsumerRecord.NULL_SIZE : key.length,
              value.length,
              key,
              value,
              new RecordHeaders(headers),
              Optional.empty()));
    }
  }

  /** Returns what the broker would: null, or the text beside the last committed offset. */
  @Nullable String lastMetadata(TopicPartition partition) {
    return consumer.commits.stream()
        .filter(commit -> commit.containsKey(partition))
        .map(commit -> commit.get(partition).metadata())
        .reduce(null, (earlier, later) -> later);
  }

  /** Waits until this many deliveries have not ended: of all others is known that they are done. */
  void awaitInFlight(int deliveries) {
    await()
        .untilAsserted(
            () -> assertThat(gauge("millrace.consumer.in.flight")).isEqualTo(deliveries));
  }

  /**
   * Whether the poll thread rests in a drain. So what has not started is taken back; that a
   * revocation has begun does not yet mean that.
   */
  boolean isDraining() {
    return Thread.getAllStackTraces().entrySet().stream()
        .filter(thread -> thread.getKey().getName().equals("millrace-engine-test-poll"))
        .map(thread -> List.of(thread.getValue()).toString())
        .anyMatch(stack -> stack.contains("Drain.untilIdle") && stack.contains("parkNanos"));
  }

  /** Asks again when the poll thread was too busy to answer. */
  ConsumerExplanation explained() {
    return await().until(handle()::explain, answer -> answer.silence().isEmpty());
  }

  /** Waits until the poll thread has gone round so often that it has seen all there is. */
  void letTurnsPass() {
    int polls = consumer.polls.get();
    await().until(() -> consumer.polls.get() > polls + 5);
  }

  /** Returns the bytes of key and value of a record that {@link #add} adds. */
  static int bytesOf(long offset) {
    return ("key-" + offset + "value-" + offset).length();
  }

  double outcome(String outcome) {
    return registry.get("millrace.consumer.records").tag("outcome", outcome).counter().count();
  }

  double gauge(String name) {
    return registry.get(name).gauge().value();
  }

  static void hold(CountDownLatch latch) {
    try {
      assertThat(latch.await(SOON.toSeconds(), TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Ends the engine and checks that it leaves nothing. */
  @Override
  public void close() {
    release.countDown();
    if (handle != null) {
      handle.close(Duration.ofSeconds(5));
      await()
          .untilAsserted(
              () -> assertThat(handle.state()).isIn(ConsumerState.CLOSED, ConsumerState.FAILED));
    }
    assertThat(registry.getMeters()).isEmpty();
    await().untilAsserted(() -> assertThat(engineThreads()).isEmpty());
  }

  static List<String> engineThreads() {
    return Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName)
        .filter(name -> name.startsWith("millrace-engine-test-"))
        .toList();
  }

  private ConsumerDefinition definition() {
    ConsumerDefinition definition = withoutRetryTopics();
    return definition.withRetry(
        new RetryDefinition(
            attempts,
            maxDuration,
            definition.retry().backoff(),
            failureClasses,
            new RetryTopicsDefinition(
                retryDelays, RetryTopicsDefinition.DEFAULT_NAMES, false, retryLogs != null)));
  }

  private ConsumerDefinition withoutRetryTopics() {
    return TestDefinitions.consumer(
        onMissingOffset,
        semantics,
        ordering,
        keylessRecords,
        permits,
        handlerThreads,
        CAPACITY,
        channelBytes,
        attempts,
        backoff,
        deadLetterSender != null,
        skipsFailed || semantics == DeliverySemantics.AT_MOST_ONCE
            ? FailurePolicy.SKIP
            : FailurePolicy.STOP,
        watchdog,
        new BatchDefinition(batchRecords, batchWait),
        commitInterval,
        commitRecords,
        drain,
        idleAfter,
        circuitBreaker,
        rateLimit);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
