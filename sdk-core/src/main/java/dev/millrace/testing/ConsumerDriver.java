package dev.millrace.testing;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.millrace.config.ConsumerDefinition;
import dev.millrace.config.KafkaConfig;
import dev.millrace.consumer.AsyncRecordHandler;
import dev.millrace.consumer.BatchHandler;
import dev.millrace.consumer.ConsumerExplanation;
import dev.millrace.consumer.ConsumerState;
import dev.millrace.consumer.FailureClassifier;
import dev.millrace.consumer.OrderingKey;
import dev.millrace.consumer.RecordHandler;
import dev.millrace.errors.InvalidDefinitionException;
import dev.millrace.errors.PayloadException;
import dev.millrace.errors.UnknownNameException;
import dev.millrace.idempotency.IdempotencyStore;
import dev.millrace.internal.channel.Confinement;
import dev.millrace.internal.client.ClientProperties;
import dev.millrace.internal.client.ConsumerSettings;
import dev.millrace.internal.consumer.ServiceHooks;
import dev.millrace.internal.delivery.Handling;
import dev.millrace.internal.time.SteppedClock;
import dev.millrace.serialization.Formats;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serializer;
import org.jspecify.annotations.Nullable;

/**
 * Runs a handler as a consumer of the configuration would, without Kafka: the same decoding,
 * attempts, dead letters, order, commits and saved work, on the test's own thread and in a time
 * that the test steps. A run takes milliseconds, whatever back-off it lives through.
 *
 * <pre>{@code
 * try (ConsumerDriver<Order> driver =
 *     ConsumerDriver.builder(config, "order-consumer", Order.class).subscribe(inventory::reserve)) {
 *   driver.send("customer-42", new Order("o-1", 3));
 *   driver.run();
 *   driver.crash(); // nothing was committed yet, so the order comes again
 *   driver.run();
 * }
 * }</pre>
 *
 * <p><b>What happens when.</b> Handlers run only within {@link #run} and {@link #advance}. Time,
 * which begins at the epoch, passes only within {@link #advance}; and where the consumer waits
 * because partitions leave while stages of an asynchronous handler have not completed ({@link
 * #rebalance}, {@link #restart}, {@link #close}): then at once as much as it would wait at most.
 * Everything is the same in each run; so the jitter of the back-off is left away.
 *
 * <p><b>What is not there.</b> No thread is started and no connection opened, so a handler that
 * blocks blocks the test, and handlers never run at the same time; an asynchronous handler can have
 * up to {@code concurrency} stages at work. The consumer is the only one of its group, and one for
 * all of its {@code instances}. There is no handler in an executor, no listener, no pause or seek,
 * no replay and no {@code mode: queue}; these need a broker.
 *
 * <p>Belongs to the thread that calls it first; any other gets an {@link IllegalStateException}, as
 * does a handler that has the driver go on. Stages of an asynchronous handler may be completed by
 * any thread: the next {@link #run} or {@link #advance} sees it.
 *
 * <p>Its length is that of its javadoc: it is all that a test has to know, in one place, and each
 * method only passes on what it is told.
 *
 * @param <V> the values' type
 */
public final class ConsumerDriver<V> implements AutoCloseable {
  private final Confinement confinement;
  private final SteppedClock clock = new SteppedClock();
  private final ConsumerDefinition definition;
  private final Serializer<V> serializer;
  private final Cluster cluster;
  private final AttemptLog attempts = new AttemptLog(clock);
  private final Supplier<ServiceProcess> processes;
  private ServiceProcess process;
  private boolean goesOn;
  private boolean closed;

  private ConsumerDriver(Builder<V> builder, Function<AttemptLog, Handling<V>> handler) {
    this.definition = DriverDefinition.reproducible(builder.definition, builder.topics);
    this.confinement = new Confinement("The driver of consumer '" + definition.name() + "'");
    ConsumerSettings settings = builder.settings;
    Formats formats = new Formats(builder.objectMapper);
    Deserializer<V> deserializer =
        formats.deserializer(definition.format(), builder.type, definition.name());
    this.serializer = formats.serializer(definition.format(), builder.type, definition.name());
    this.cluster = new Cluster(definition, builder.partitions, clock);
    Handling<V> handling = handler.apply(attempts);
    ServiceHooks hooks =
        builder.hooks.idempotency(definition, definition.groupId(), builder.idempotencyStore);
    this.processes =
        () ->
            new ServiceProcess(
                definition, settings, deserializer, handling, hooks, cluster, attempts, clock);
    this.process = processes.get();
  }

  /**
   * Starts to describe a driver.
   *
   * @param config as {@link dev.millrace.KafkaFactory#create} takes it; its brokers are not called
   * @param consumer a consumer in the configuration
   * @param type the values' type
   * @throws UnknownNameException when the configuration has no such consumer
   * @throws InvalidDefinitionException when the Kafka client or the engine refuses the definition,
   *     or its {@code mode} is {@code queue}, or it is exactly-once
   */
  public static <V> Builder<V> builder(KafkaConfig config, String consumer, Class<V> type) {
    return new Builder<>(config, DriverDefinition.of(config, consumer), type);
  }

  // What is in the topics.

  /**
   * Appends a record to the first of the consumer's topics, to the partition that a producer would
   * choose for the key; without a key, to one after the other.
   *
   * @param value null for a tombstone
   * @return where it stands
   * @throws PayloadException when the consumer's format can't hold the value
   */
  public RecordMetadata send(@Nullable String key, @Nullable V value) {
    String topic = definition.topics().get(0);
    byte[] keyBytes = key == null ? null : key.getBytes(StandardCharsets.UTF_8);
    byte[] valueBytes = value == null ? null : serializer.serialize(topic, value);
    return send(new ProducerRecord<>(topic, keyBytes, valueBytes));
  }

  /**
   * Appends a record as it is: bytes that can't be decoded, headers, another topic, a partition or
   * timestamp of the test's choice.
   *
   * @return where it stands
   * @throws IllegalArgumentException when the consumer does not read the topic, or the topic has no
   *     such partition
   */
  public RecordMetadata send(ProducerRecord<byte[], byte[]> record) {
    requireOpen();
    return cluster.append(record);
  }

  // What goes on.

  /**
   * Goes on until nothing can happen any more at this moment: all records that are there and whose
   * key does not wait for a retry are handled; of a handler of batches those that fill one, while
   * others wait for {@code batch.max-wait} to pass. No time passes, so what is done now is
   * committed only after {@link #advance}. Does nothing once the consumer has ended by itself.
   */
  public void run() {
    goOn(process::run);
  }

  /**
   * Lets time pass, and all happen that falls due: retries, commits, dead letters that are sent
   * again; before that, what {@link #run} does.
   *
   * @param time not negative; each hour costs the test some tens of milliseconds
   */
  public void advance(Duration time) {
    if (time.isNegative()) {
      throw new IllegalArgumentException("Time can't go back by " + time + ".");
    }
    goOn(() -> process.advance(time.toNanos()));
  }

  /** Returns the driver's time, as records have it for their timestamp. */
  public Instant now() {
    return clock.now();
  }

  /**
   * Revokes all partitions and assigns them again: what is finished is committed, also beyond
   * records that are not; what is not finished comes again, with its next attempt.
   *
   * @throws IllegalStateException when the consumer has ended by itself
   */
  public void rebalance() {
    goOn(runningProcess()::rebalance);
  }

  /**
   * Has the group throw the consumer out, as when it did not poll for too long, and take it in
   * again: it learns that its partitions are lost and commits nothing, so what was not committed
   * comes again.
   *
   * @throws IllegalStateException when the consumer has ended by itself
   */
  public void lose() {
    goOn(runningProcess()::lose);
  }

  /**
   * Kills the consumer's process as by SIGKILL and starts another: what was not committed comes
   * again. The handler object stays the same; what it has in memory a real process would have lost.
   */
  public void crash() {
    goOn(
        () -> {
          process.kill();
          process = processes.get();
        });
  }

  /** Closes the consumer as a service does that ends, and starts another. */
  public void restart() {
    goOn(
        () -> {
          process.close();
          process = processes.get();
        });
  }

  private ServiceProcess runningProcess() {
    if (process.engine().hasEnded()) {
      throw new IllegalStateException(
          "Consumer '%s' has no partitions, for it has ended: %s Start it again by restart()."
              .formatted(definition.name(), failure().map(Throwable::getMessage).orElse("")));
    }
    return process;
  }

  private void goOn(Runnable work) {
    requireOpen();
    if (goesOn) {
      throw new IllegalStateException(
          "The driver of consumer '%s' goes on already: a handler, or what it calls, must not have it go on."
              .formatted(definition.name()));
    }
    goesOn = true;
    try {
      work.run();
    } finally {
      goesOn = false;
    }
  }

  private void requireOpen() {
    confinement.check();
    if (closed) {
      throw new IllegalStateException(
          "The driver of consumer '%s' is closed.".formatted(definition.name()));
    }
  }

  // What fails.

  /**
   * Fails the next attempts, whichever records they are at, without calling the handler. Of a batch
   * single records fail so, and the handler is called with the others.
   *
   * @param attempts how many; replaces what was said before, 0 takes it back
   * @param failure what they fail with
   */
  public void failNext(int attempts, Exception failure) {
    this.attempts.failNext(checked(attempts), Objects.requireNonNull(failure, "failure"));
  }

  /**
   * Has the brokers refuse the next commits, those of a rebalance and a close too.
   *
   * @param commits how many; replaces what was said before, 0 takes it back
   */
  public void failCommits(int commits) {
    cluster.failCommits(checked(commits));
  }

  /**
   * Has the brokers refuse the next dead letters, or records for retry topics. They are sent again
   * after a while.
   *
   * @param sends how many; replaces what was said before, 0 takes it back
   */
  public void failDeadLetters(int sends) {
    cluster.failDeadLetters(checked(sends));
  }

  private int checked(int count) {
    requireOpen();
    if (count < 0) {
      throw new IllegalArgumentException("Can't fail " + count + " times.");
    }
    return count;
  }

  // What has happened. All of this may be asked after the close, too.

  /**
   * Returns all calls of the handler so far, of all processes, in the order they began; of a
   * handler of batches one for each record of a call.
   */
  public List<Attempt> attempts() {
    return attempts.attempts();
  }

  /** Returns what is in the dead-letter topics, in the order it was sent. */
  public List<DeadLetter> deadLetters() {
    return cluster.deadLetters();
  }

  /**
   * Returns the group's committed offset; empty before the first commit of the partition. Records
   * done beyond it are saved with it: {@link #explain()} counts them.
   *
   * @throws IllegalArgumentException when the consumer does not read the partition
   */
  public OptionalLong committed(TopicPartition partition) {
    OffsetAndMetadata committed = cluster.committed(partition);
    return committed == null ? OptionalLong.empty() : OptionalLong.of(committed.offset());
  }

  /** Returns how many records the committed offsets have not passed, over all partitions. */
  public long lag() {
    return cluster.partitions().stream()
        .mapToLong(partition -> cluster.end(partition) - committed(partition).orElse(0))
        .sum();
  }

  /** Returns the state of the consumer, which may have ended by itself. */
  public ConsumerState state() {
    return process.engine().state();
  }

  /** Returns why the consumer has ended by itself; empty when it has not. */
  public Optional<Throwable> failure() {
    return process.engine().failure();
  }

  /** Returns why each partition stands where it stands; no partitions after the consumer's end. */
  public ConsumerExplanation explain() {
    confinement.check();
    return process.engine().explain();
  }

  /** Closes the consumer as a service does, with a last commit. Closing again is harmless. */
  @Override
  public void close() {
    if (!closed) {
      goOn(process::close);
      closed = true;
    }
  }

  /**
   * Describes a driver. Not thread-safe.
   *
   * @param <V> the values' type
   */
  public static final class Builder<V> {
    private final ConsumerDefinition definition;
    private final ConsumerSettings settings;
    private final Class<V> type;
    private ServiceHooks hooks = ServiceHooks.NONE;
    private List<String> topics;
    private int partitions = 4;
    private @Nullable ObjectMapper objectMapper;
    private @Nullable IdempotencyStore idempotencyStore;

    private Builder(KafkaConfig config, ConsumerDefinition definition, Class<V> type) {
      this.definition = definition;
      this.settings = new ClientProperties(config.common().serviceName()).consumer(definition);
      this.type = type;
      this.topics = definition.topics();
    }

    /**
     * Sets which topics there are; the consumer reads them all. Needed when it finds them by a
     * pattern; else they are those that it names.
     *
     * @param names at least one
     */
    public Builder<V> topics(String... names) {
      this.topics = List.of(names);
      return this;
    }

    /**
     * Sets how many partitions each topic has.
     *
     * @param count from 1; 4 unless set
     */
    public Builder<V> partitions(int count) {
      if (count < 1) {
        throw new IllegalArgumentException("A topic can't have " + count + " partitions.");
      }
      this.partitions = count;
      return this;
    }

    /**
     * Has records kept in order by something else than their key, as {@link
     * dev.millrace.consumer.PreparedConsumer#orderBy} does.
     *
     * @throws InvalidDefinitionException when the definition's {@code ordering} is another one than
     *     {@code key}
     */
    public Builder<V> orderBy(OrderingKey orderingKey) {
      this.hooks = hooks.orderBy(orderingKey, definition);
      return this;
    }

    /**
     * Has failures judged by more than their class, as {@link
     * dev.millrace.consumer.PreparedConsumer#failureClassifier} does.
     */
    public Builder<V> failureClassifier(FailureClassifier classifier) {
      this.hooks = hooks.failureClassifier(classifier);
      return this;
    }

    /**
     * Remembers here what has been handled, as {@code KafkaFactory.Builder} does. Its leases end by
     * the store's own time, not by the driver's.
     */
    public Builder<V> idempotencyStore(IdempotencyStore store) {
      this.idempotencyStore = store;
      return this;
    }

    /** Reads and writes JSON with this mapper, as {@code KafkaFactory.Builder} does. */
    public Builder<V> objectMapper(ObjectMapper mapper) {
      this.objectMapper = mapper;
      return this;
    }

    /**
     * Makes the driver of a handler, as {@link dev.millrace.consumer.PreparedConsumer#subscribe}
     * takes it.
     *
     * @throws InvalidDefinitionException when the format can't hold the type
     */
    public ConsumerDriver<V> subscribe(RecordHandler<? super V> handler) {
      Objects.requireNonNull(handler, "handler");
      return new ConsumerDriver<>(this, log -> Handling.inWorker(log.watched(handler)));
    }

    /**
     * Makes the driver of an asynchronous handler.
     *
     * @throws InvalidDefinitionException when the format can't hold the type
     */
    public ConsumerDriver<V> subscribeAsync(AsyncRecordHandler<? super V> handler) {
      Objects.requireNonNull(handler, "handler");
      return new ConsumerDriver<>(this, log -> Handling.asynchronous(log.watchedAsync(handler)));
    }

    /**
     * Makes the driver of a handler of several records at once.
     *
     * @throws InvalidDefinitionException when the format can't hold the type
     */
    public ConsumerDriver<V> subscribeBatch(BatchHandler<? super V> handler) {
      Objects.requireNonNull(handler, "handler");
      return new ConsumerDriver<>(this, log -> Handling.inBatches(log.watchedBatch(handler)));
    }
  }
}
