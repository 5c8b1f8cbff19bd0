package dev.millrace.internal.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.TimeGauge;
import io.micrometer.core.instrument.Timer;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicPartition;

/**
 * One consumer's meters; the names are listed in {@link MeterNames}. Recording is thread-safe and
 * takes no lock. Closing removes every meter registered here.
 */
public final class ConsumerMeters implements AutoCloseable {
  private final MeterRegistry registry;
  private final Tags tags;
  private final Queue<Meter> registered = new ConcurrentLinkedQueue<>();

  private final Counter handled;
  private final Counter retried;
  private final Counter movedToRetryTopic;
  private final Counter followedKey;
  private final Counter deadLettered;
  private final Counter stopped;
  private final Counter doneBefore;
  private final Counter duplicates;
  private final Counter skipped;
  private final Counter notStarted;
  private final Counter dropped;
  private final Counter deadLetterFailures;
  private final Counter retryTopicFailures;
  private final Counter headersIgnored;
  private final Counter commitFailures;
  private final Counter undone;
  private final Counter offsetResets;
  private final Timer queueWait;
  private final Timer handlerSuccess;
  private final Timer handlerFailure;

  /** Makes the meters of a consumer's only instance. */
  public ConsumerMeters(MeterRegistry registry, String consumer, String group) {
    this(registry, consumer, group, 1);
  }

  /**
   * Makes the meters of one of its instances.
   *
   * @param member the instance's number, from 1; all have the tag, since some registries want the
   *     same tags wherever a name is the same
   */
  public ConsumerMeters(MeterRegistry registry, String consumer, String group, int member) {
    this.registry = registry;
    this.tags = Tags.of("consumer", consumer, "group", group, "member", Integer.toString(member));
    this.handled = outcome("handled");
    this.retried = outcome("retried");
    this.movedToRetryTopic = outcome("retry-topic");
    this.followedKey = outcome("followed-key");
    this.deadLettered = outcome("dead-lettered");
    this.stopped = outcome("stopped");
    this.doneBefore = outcome("done-before");
    this.duplicates = outcome("duplicate");
    this.skipped = outcome("skipped");
    this.notStarted = outcome("not-started");
    this.dropped = outcome("dropped");
    this.deadLetterFailures = counter(MeterNames.DEAD_LETTER_FAILURES, tags);
    this.retryTopicFailures = counter(MeterNames.RETRY_TOPIC_FAILURES, tags);
    this.headersIgnored = counter(MeterNames.HEADERS_IGNORED, tags);
    this.commitFailures = counter(MeterNames.COMMIT_FAILURES, tags);
    this.undone = counter(MeterNames.UNDONE, tags);
    this.offsetResets = counter(MeterNames.OFFSET_RESETS, tags);
    this.queueWait = timer(MeterNames.QUEUE_WAIT, tags);
    this.handlerSuccess = timer(MeterNames.HANDLER_TIME, tags.and("result", "success"));
    this.handlerFailure = timer(MeterNames.HANDLER_TIME, tags.and("result", "failure"));
  }

  public void queueWait(long nanos) {
    queueWait.record(nanos, TimeUnit.NANOSECONDS);
  }

  public void handlerReturned(long nanos) {
    handlerSuccess.record(nanos, TimeUnit.NANOSECONDS);
  }

  public void handlerFailed(long nanos) {
    handlerFailure.record(nanos, TimeUnit.NANOSECONDS);
  }

  public void handled() {
    handled.increment();
  }

  public void retried() {
    retried.increment();
  }

  /** Counts a record that waits in a retry topic now. */
  public void movedToRetryTopic() {
    movedToRetryTopic.increment();
  }

  /** Counts a record that was not handled, and went after its key to a retry topic. */
  public void followedKey() {
    followedKey.increment();
  }

  public void deadLettered() {
    deadLettered.increment();
  }

  public void stopped() {
    stopped.increment();
  }

  public void doneBefore() {
    doneBefore.increment();
  }

  /** Counts a record whose message had been handled, so that it ended without its handler. */
  public void duplicate() {
    duplicates.increment();
  }

  /**
   * Counts a record that was passed over: its handler has failed, at-most-once; it was redriven for
   * another group.
   */
  public void skipped() {
    skipped.increment();
  }

  /** Counts records that may have been committed, and so never start; at-most-once. */
  public void notStarted(int records) {
    notStarted.increment(records);
  }

  /** Counts records that were committed and given up before they had ended; at-most-once. */
  public void dropped(int records) {
    dropped.increment(records);
  }

  public void deadLetterFailed() {
    deadLetterFailures.increment();
  }

  public void retryTopicFailed() {
    retryTopicFailures.increment();
  }

  /** Counts a record with headers of a redrive, or of a retry topic, that are not believed. */
  public void headersIgnored() {
    headersIgnored.increment();
  }

  public void commitFailed() {
    commitFailures.increment();
  }

  public void undone(int records) {
    undone.increment(records);
  }

  public void offsetReset() {
    offsetResets.increment();
  }

  /** Measures the sizes of batches; the other meters don't know whether there are any. */
  public IntConsumer batchSizes() {
    return keep(DistributionSummary.builder(MeterNames.BATCH_RECORDS).tags(tags).register(registry))
        ::record;
  }

  /** Counts lost locks; only a queue's consumer has any. */
  public IntConsumer locksLost() {
    return counter(MeterNames.LOCKS_LOST, tags)::increment;
  }

  /** Shows how many keys have records in retry topics; only where others follow them. */
  public void keysAhead(Supplier<Number> keys) {
    gauge(MeterNames.KEYS_AHEAD, tags, keys);
  }

  /** Counts what becomes of claims; only a consumer with idempotency has any. */
  public IdempotencyMeters idempotency() {
    return new IdempotencyMeters(
        counter(MeterNames.IDEMPOTENCY_FAILURES, tags),
        counter(MeterNames.IDEMPOTENCY_TAKEN, tags));
  }

  /** Counts how often a circuit opens; only a consumer with a circuit breaker has one. */
  public Runnable circuitOpenings() {
    return counter(MeterNames.CIRCUIT_OPENINGS, tags)::increment;
  }

  /** Shows where a circuit stands. */
  public void circuit(Supplier<Number> level) {
    gauge(MeterNames.CIRCUIT, tags, level);
  }

  /** Shows what a circuit or a rate limit holds back; only a consumer that has one of them. */
  public void waitingToStart(Supplier<Number> calls) {
    gauge(MeterNames.WAITING_TO_START, tags, calls);
  }

  /** Shows what is held: how many records, those of them that rest, and the bytes of all. */
  public void inFlight(Supplier<Number> records, Supplier<Number> resting, Supplier<Number> bytes) {
    gauge(MeterNames.IN_FLIGHT, tags, records);
    gauge(MeterNames.RESTING, tags, resting);
    gauge(MeterNames.IN_FLIGHT_BYTES, tags, bytes);
  }

  /** Shows how long the oldest attempt under way has taken; the registry chooses the unit. */
  public void oldestRunning(Supplier<Number> nanos) {
    keep(
        TimeGauge.builder(MeterNames.OLDEST_RUNNING, nanos, TimeUnit.NANOSECONDS)
            .tags(tags)
            .register(registry));
  }

  /**
   * Shows a partition for as long as it is owned.
   *
   * @return takes the gauges away again
   */
  public Runnable partition(
      TopicPartition partition, Supplier<Number> lag, Supplier<Number> unsaved) {
    Tags named =
        tags.and("topic", partition.topic())
            .and("partition", Integer.toString(partition.partition()));
    List<Meter> gauges =
        List.of(gauge(MeterNames.LAG, named, lag), gauge(MeterNames.UNSAVED, named, unsaved));
    return () -> {
      registered.removeAll(gauges);
      gauges.forEach(registry::remove);
    };
  }

  @Override
  public void close() {
    registered.forEach(registry::remove);
    registered.clear();
  }

  private Counter outcome(String outcome) {
    return counter(MeterNames.RECORDS, tags.and("outcome", outcome));
  }

  private Counter counter(String name, Tags with) {
    return keep(Counter.builder(name).tags(with).register(registry));
  }

  private Timer timer(String name, Tags with) {
    return keep(Timer.builder(name).tags(with).register(registry));
  }

  private Meter gauge(String name, Tags with, Supplier<Number> value) {
    return keep(Gauge.builder(name, value).tags(with).register(registry));
  }

  private <M extends Meter> M keep(M meter) {
    registered.add(meter);
    return meter;
  }
}
