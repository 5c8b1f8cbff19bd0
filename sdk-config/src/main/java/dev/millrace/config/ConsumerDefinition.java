package dev.millrace.config;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * One named consumer, with the common settings and the defaults merged in.
 *
 * @param name the name given to {@code createConsumer}
 * @param bootstrapServers {@code host:port} of some brokers
 * @param subscription what it reads
 * @param groupId the consumer group ({@code group.id}); in broadcast mode what the processes' own
 *     groups begin with
 * @param mode who gets a record
 * @param membership how it is a member of its group; without effect in {@link ConsumerMode#QUEUE}
 * @param onMissingOffset where it begins when the group has no offset that the log has
 * @param deliverySemantics the promise
 * @param ordering the order kept between records handled concurrently
 * @param keylessRecords what order records without a key have under {@code key}; of no effect under
 *     the others
 * @param concurrency how many records may be in their handler at the same time; 1 to 100,000
 * @param instances how many Kafka consumers it runs, each with its own poll thread, which divide
 *     {@code concurrency} and the channel among them; 1 to 64, at most {@code concurrency}
 * @param handlerThreads on what kind of threads handlers run
 * @param channelCapacity the most records held between poll and handler's end, queued and running
 *     ones together; those in a back-off, and those of their keys behind them, have a bound of
 *     their own; at least {@code concurrency}, at most 10,000,000
 * @param channelBytes intake pauses while the held records' keys, values and headers are this large
 *     or larger, in bytes, so one poll may exceed it; 1 to 1024 GB
 * @param format how bytes become a value
 * @param profile the tuning profile
 * @param retry attempts in place
 * @param deadLetter where a record goes whose attempts are used up; null means that {@code
 *     onFailure} says what becomes of it
 * @param onFailure what becomes of a record whose attempts are used up, without dead letters
 * @param handlerWatchdog what is done about a record that stays in its handler for too long
 * @param batch how records are put together for a handler of batches
 * @param transaction how its transactions run; looked at under {@code exactly-once} only
 * @param idempotency how it handles messages once that come more than once; null when it does not
 * @param circuitBreaker when it stops calling a handler that fails; null when it never does
 * @param rateLimit how many records it hands to its handler within a time, its instances together;
 *     null when as many as can be
 * @param commitInterval how often finished offsets are committed; 10 ms to 1 h
 * @param commitRecords finished records after which a commit is made before the interval has
 *     passed; 0 to 10,000,000, 0 for by interval alone
 * @param drainTimeout how long a revoked partition's running records are waited for; 0 to 1 h
 * @param closeTimeout how long {@code close()} may take; 0 to 1 h
 * @param idleAfter how long nothing is polled or held before a listener is told; 1 s to 24 h
 * @param properties raw client settings by Kafka's own names; they win over promise and profile;
 *     the text of this record shows the names only
 */
public record ConsumerDefinition(
    String name,
    List<String> bootstrapServers,
    Subscription subscription,
    String groupId,
    ConsumerMode mode,
    GroupMembership membership,
    MissingOffset onMissingOffset,
    DeliverySemantics deliverySemantics,
    Ordering ordering,
    KeylessRecords keylessRecords,
    int concurrency,
    int instances,
    HandlerThreads handlerThreads,
    int channelCapacity,
    long channelBytes,
    Format format,
    TuningProfile profile,
    RetryDefinition retry,
    @Nullable DeadLetterDefinition deadLetter,
    FailurePolicy onFailure,
    HandlerWatchdogDefinition handlerWatchdog,
    BatchDefinition batch,
    ConsumerTransactionDefinition transaction,
    @Nullable IdempotencyDefinition idempotency,
    @Nullable CircuitBreakerDefinition circuitBreaker,
    @Nullable RateLimitDefinition rateLimit,
    Duration commitInterval,
    int commitRecords,
    Duration drainTimeout,
    Duration closeTimeout,
    Duration idleAfter,
    Map<String, String> properties) {

  public ConsumerDefinition {
    bootstrapServers = List.copyOf(bootstrapServers);
    properties = NamesOnlyMap.copyOf(properties);
  }

  /** Returns the topics it reads, as far as they are known by name. */
  public List<String> topics() {
    return subscription.topics();
  }

  /** Returns the same definition with other attempts in place. */
  public ConsumerDefinition withRetry(RetryDefinition other) {
    return with(
        name,
        subscription,
        membership,
        onMissingOffset,
        concurrency,
        instances,
        channelCapacity,
        channelBytes,
        other,
        rateLimit,
        properties);
  }

  /** Returns the same definition of a consumer that reads something else. */
  public ConsumerDefinition withSubscription(Subscription other) {
    return with(
        name,
        other,
        membership,
        onMissingOffset,
        concurrency,
        instances,
        channelCapacity,
        channelBytes,
        retry,
        rateLimit,
        properties);
  }

  /** Returns the same definition of one consumer, under another name, that starts elsewhere. */
  public ConsumerDefinition as(String otherName, MissingOffset otherStart) {
    return with(
        otherName,
        subscription,
        membership,
        otherStart,
        concurrency,
        1,
        channelCapacity,
        channelBytes,
        retry,
        rateLimit,
        properties);
  }

  /**
   * Returns the definitions of its instances: each is one instance, with its share of {@code
   * concurrency}, {@code channelCapacity}, {@code channelBytes} and {@code rateLimit}. Of several,
   * each has its number, from 1, at the end of its name, and of its {@code group-instance-id} and
   * {@code client.id} if there are any.
   */
  public List<ConsumerDefinition> perInstance() {
    return instances == 1
        ? List.of(this)
        : IntStream.rangeClosed(1, instances).mapToObj(this::instance).toList();
  }

  private ConsumerDefinition instance(int number) {
    String end = "-" + number;
    Map<String, String> settings = new HashMap<>(properties);
    settings.computeIfPresent("client.id", (setting, id) -> id + end);
    String member = membership.instanceId();
    return with(
        name + end,
        subscription,
        new GroupMembership(membership.protocol(), member == null ? null : member + end),
        onMissingOffset,
        (int) share(concurrency, number),
        1,
        (int) share(channelCapacity, number),
        Math.max(1, share(channelBytes, number)),
        retry,
        rateLimit == null ? null : share(rateLimit, number),
        settings);
  }

  private RateLimitDefinition share(RateLimitDefinition total, int number) {
    return new RateLimitDefinition((int) share(total.records(), number), total.per());
  }

  /** As cards are dealt, so that the shares of a smaller total are never larger. */
  private long share(long total, int number) {
    return total / instances + (number <= total % instances ? 1 : 0);
  }

  private ConsumerDefinition with(
      String name,
      Subscription subscription,
      GroupMembership membership,
      MissingOffset onMissingOffset,
      int concurrency,
      int instances,
      int channelCapacity,
      long channelBytes,
      RetryDefinition retry,
      @Nullable RateLimitDefinition rateLimit,
      Map<String, String> properties) {
    return new ConsumerDefinition(
        name,
        bootstrapServers,
        subscription,
        groupId,
        mode,
        membership,
        onMissingOffset,
        deliverySemantics,
        ordering,
        keylessRecords,
        concurrency,
        instances,
        handlerThreads,
        channelCapacity,
        channelBytes,
        format,
        profile,
        retry,
        deadLetter,
        onFailure,
        handlerWatchdog,
        batch,
        transaction,
        idempotency,
        circuitBreaker,
        rateLimit,
        commitInterval,
        commitRecords,
        drainTimeout,
        closeTimeout,
        idleAfter,
        properties);
  }
}
