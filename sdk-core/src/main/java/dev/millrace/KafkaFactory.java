package dev.millrace;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.millrace.config.ConfigLoader;
import dev.millrace.config.ConsumerDefinition;
import dev.millrace.config.Format;
import dev.millrace.config.KafkaConfig;
import dev.millrace.config.ProducerDefinition;
import dev.millrace.consumer.PreparedConsumer;
import dev.millrace.deadletter.DeadLetters;
import dev.millrace.errors.InvalidDefinitionException;
import dev.millrace.errors.UnknownNameException;
import dev.millrace.idempotency.IdempotencyStore;
import dev.millrace.internal.client.Brokers;
import dev.millrace.internal.client.ClientProperties;
import dev.millrace.internal.client.NamedDefinitions;
import dev.millrace.internal.client.TransactionSupport;
import dev.millrace.internal.client.TransactionalSettings;
import dev.millrace.internal.consumer.ConsumerLauncher;
import dev.millrace.internal.consumer.RunningConsumers;
import dev.millrace.internal.deadletter.DeadLetterService;
import dev.millrace.internal.metrics.ClientMeters;
import dev.millrace.internal.producer.PooledMessageProducer;
import dev.millrace.internal.producer.PooledTransactionalProducer;
import dev.millrace.internal.producer.ProducerPool;
import dev.millrace.internal.producer.ProducerSlot;
import dev.millrace.internal.producer.TransactionalPool;
import dev.millrace.internal.producer.TransactionalSlots;
import dev.millrace.producer.MessageProducer;
import dev.millrace.producer.ProducerStatistics;
import dev.millrace.producer.TransactionalProducer;
import dev.millrace.serialization.Formats;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Hands out the producers and consumers that a configuration defines by name, and closes them all.
 *
 * <pre>{@code
 * try (KafkaFactory kafka = KafkaFactory.load(Path.of("kafka.yaml"))) {
 *   MessageProducer<Order> orders = kafka.createProducer("order-producer", Order.class);
 *   MessageConsumer consumer = kafka.createConsumer("order-consumer", Order.class)
 *       .subscribe((order, context) -> inventory.reserve(order));
 *   orders.send("customer-42", new Order("o-1", 3)).join();
 *   consumer.awaitClosed();
 * }
 * }</pre>
 *
 * A service needs one factory. Making it opens no connection and starts no thread. Any thread may
 * call it.
 */
public final class KafkaFactory implements AutoCloseable {
  private static final Duration PRODUCER_CLOSE_TIMEOUT = Duration.ofSeconds(30);

  private final KafkaConfig config;
  private final Formats formats;
  private final ClientProperties clientProperties;
  private final Brokers brokers;
  private final ProducerPool producers;
  private final ProducerPool deadLetterProducers;
  private final TransactionalSettings transactionalSettings;
  private final TransactionalPool transactionalProducers = new TransactionalPool();
  private final ClientMeters clientMeters;
  private final RunningConsumers consumers = new RunningConsumers();
  private final ConsumerLauncher.Surroundings surroundings;
  private final DeadLetterService deadLetters;
  private final ReentrantLock closing = new ReentrantLock();
  private final @Nullable ShutdownHook shutdownHook;

  private KafkaFactory(KafkaConfig config, Builder builder) {
    this.config = config;
    this.formats = new Formats(builder.objectMapper);
    this.clientProperties = new ClientProperties(config.common().serviceName());
    this.brokers = new Brokers(config.common().connectTimeout());
    this.transactionalSettings = new TransactionalSettings(clientProperties, config.common());
    this.clientMeters = new ClientMeters(builder.meterRegistry);
    MeterRegistry registry =
        builder.meterRegistry != null ? builder.meterRegistry : new CompositeMeterRegistry();
    this.producers = new ProducerPool(clientMeters, registry);
    // The consumer's meters tell of dead letters.
    this.deadLetterProducers = new ProducerPool(clientMeters, new CompositeMeterRegistry());
    this.surroundings =
        new ConsumerLauncher.Surroundings(
            clientProperties,
            transactionalSettings,
            brokers,
            deadLetterProducers,
            registry,
            clientMeters,
            builder.idempotencyStore,
            consumers);
    this.deadLetters =
        new DeadLetterService(clientProperties, brokers, deadLetterProducers, clientMeters);
    this.shutdownHook = builder.closeOnShutdown ? ShutdownHook.register(this::close) : null;
  }

  /**
   * Reads the configuration and makes a factory of it.
   *
   * @param files YAML or JSON; of several, a later one adds to and overrides an earlier one
   * @throws dev.millrace.config.ConfigException with every problem of the files, each with its
   *     place
   */
  public static KafkaFactory load(Path... files) {
    return builder().load(files);
  }

  /**
   * Makes a factory of a configuration that is already there.
   *
   * @param config as a {@link ConfigLoader} makes it; one put together by hand is not checked again
   */
  public static KafkaFactory create(KafkaConfig config) {
    return builder().create(config);
  }

  /** Starts to describe a factory that is given more than its configuration. */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Returns a handle on a named producer for values of any type: bytes and text as they are, all
   * else as JSON, unless the definition's format says otherwise.
   *
   * @param name a producer in the configuration
   * @throws UnknownNameException when the configuration has no such producer
   * @throws InvalidDefinitionException when the Kafka client refuses the settings
   * @throws dev.millrace.errors.BrokerUnavailableException when no broker answers within {@code
   *     connect-timeout}
   * @throws IllegalStateException when the factory is closed
   */
  public MessageProducer<Object> createProducer(String name) {
    return producer(producerDefinition(name), Object.class);
  }

  /**
   * Returns a handle on a named producer. The first handle of a name makes the Kafka client, which
   * all later ones share.
   *
   * @param name a producer in the configuration
   * @param type the values' type
   * @throws UnknownNameException when the configuration has no such producer
   * @throws InvalidDefinitionException when the Kafka client refuses the settings, or the format
   *     can't hold the type
   * @throws dev.millrace.errors.BrokerUnavailableException when no broker answers within {@code
   *     connect-timeout}
   * @throws IllegalStateException when the factory is closed
   */
  public <V> MessageProducer<V> createProducer(String name, Class<V> type) {
    return producer(producerDefinition(name), type);
  }

  private <V> MessageProducer<V> producer(ProducerDefinition definition, Class<V> type) {
    var serializer = formats.serializer(definition.format(), type, definition.name());
    ProducerSlot slot =
        producers.lease(
            definition.name(),
            definition.pool(),
            () -> {
              Map<String, Object> settings = clientProperties.producer(definition);
              brokers.requireReachable("Producer '" + definition.name() + "'", settings);
              return settings;
            });
    return new PooledMessageProducer<>(definition, slot, producers, serializer);
  }

  /**
   * Returns a handle on a named transactional producer for values of any type, as {@link
   * #createProducer(String)} does for others.
   *
   * @param name a producer of {@code delivery-semantics: exactly-once} in the configuration
   * @throws UnknownNameException when the configuration has no such producer
   * @throws InvalidDefinitionException when the producer promises something else, or the Kafka
   *     client refuses the settings
   * @throws dev.millrace.errors.BrokerUnavailableException when no broker answers within {@code
   *     connect-timeout}
   * @throws IllegalStateException when the factory is closed
   */
  public TransactionalProducer<Object> createTransactionalProducer(String name) {
    return createTransactionalProducer(name, Object.class);
  }

  /**
   * Returns a handle on a named transactional producer. The first handle of a name looks at what
   * the cluster can do, and aborts what an earlier process of the same {@code instance-id} left
   * open; the Kafka clients are made when transactions need them.
   *
   * @param name a producer of {@code delivery-semantics: exactly-once} in the configuration
   * @param type the values' type
   * @throws UnknownNameException when the configuration has no such producer
   * @throws InvalidDefinitionException when the producer promises something else, the Kafka client
   *     refuses the settings, or the format can't hold the type
   * @throws dev.millrace.errors.BrokerUnavailableException when no broker answers within {@code
   *     connect-timeout}
   * @throws IllegalStateException when the factory is closed
   */
  public <V> TransactionalProducer<V> createTransactionalProducer(String name, Class<V> type) {
    ProducerDefinition definition = producerDefinition(name);
    var serializer = formats.serializer(definition.format(), type, name);
    TransactionalSlots slots =
        transactionalProducers.slots(name, () -> transactionalSlots(definition));
    return new PooledTransactionalProducer<>(definition, slots, serializer);
  }

  private TransactionalSlots transactionalSlots(ProducerDefinition definition) {
    String owner = "Producer '" + definition.name() + "'";
    Map<String, Map<String, Object>> settings = transactionalSettings.of(definition);
    new TransactionSupport(owner, brokers, settings).prepare(definition.topics());
    return TransactionalSlots.of(
        definition.name(), owner, settings, definition.transaction().timeout(), clientMeters);
  }

  /**
   * Returns what each producer that has been made is doing, by name; those of dead letters are not
   * among them.
   */
  public List<ProducerStatistics> producers() {
    return producers.statistics();
  }

  /**
   * Prepares a named consumer of undecoded values, whatever the format in its definition.
   *
   * @param name a consumer in the configuration
   * @throws UnknownNameException when the configuration has no such consumer
   * @throws InvalidDefinitionException when the Kafka client or the engine refuses the definition
   */
  public PreparedConsumer<byte[]> createConsumer(String name) {
    return consumer(consumerDefinition(name), Format.BYTES, byte[].class);
  }

  /**
   * Prepares a named consumer; it starts when it is given its handler.
   *
   * @param name a consumer in the configuration
   * @param type the values' type
   * @throws UnknownNameException when the configuration has no such consumer
   * @throws InvalidDefinitionException when the Kafka client or the engine refuses the definition,
   *     or the format can't hold the type
   */
  public <V> PreparedConsumer<V> createConsumer(String name, Class<V> type) {
    ConsumerDefinition definition = consumerDefinition(name);
    return consumer(definition, definition.format(), type);
  }

  private <V> PreparedConsumer<V> consumer(
      ConsumerDefinition definition, Format format, Class<V> type) {
    return new ConsumerLauncher<>(
        definition,
        formats.deserializer(format, type, definition.name()),
        formats.outputs(format, definition.name()),
        surroundings);
  }

  /**
   * Returns the dead letters of a named consumer, which need not run: to look at, and to bring
   * back.
   *
   * @param name a consumer in the configuration
   * @throws UnknownNameException when the configuration has no such consumer
   * @throws InvalidDefinitionException when it has no {@code dead-letter}, or the Kafka client
   *     refuses its settings
   */
  public DeadLetters deadLetters(String name) {
    return deadLetters.of(consumerDefinition(name));
  }

  private ConsumerDefinition consumerDefinition(String name) {
    return NamedDefinitions.consumer(config, name);
  }

  private ProducerDefinition producerDefinition(String name) {
    return NamedDefinitions.producer(config, name);
  }

  /**
   * Closes all consumers, each within its {@code close-timeout}; ends redrives after the
   * transaction that they are in; then closes all producers, whose records already sent and whose
   * open transactions get up to 30 seconds together to be acknowledged and to end. Closing again is
   * harmless, and waits for a close that is under way. An interrupt ends the waiting for consumers
   * and producers, which go on ending by themselves, and stays set. Not to be called by a handler:
   * it would wait for itself.
   */
  @Override
  public void close() {
    // One at a time: the end of the JVM must not overtake a close that is under way.
    closing.lock();
    try {
      consumers.close();
      long deadline = System.nanoTime() + PRODUCER_CLOSE_TIMEOUT.toNanos();
      deadLetters.close(PRODUCER_CLOSE_TIMEOUT);
      deadLetterProducers.close(left(deadline));
      transactionalProducers.close(left(deadline));
      producers.close(left(deadline));
      if (shutdownHook != null) {
        shutdownHook.remove(); // Last, or the JVM could end in the midst of this.
      }
    } finally {
      closing.unlock();
    }
  }

  private static Duration left(long deadline) {
    return Duration.ofNanos(Math.max(0, deadline - System.nanoTime()));
  }

  /** Gives a factory what stands in no configuration. Not thread-safe. */
  public static final class Builder {
    private @Nullable MeterRegistry meterRegistry;
    private @Nullable ObjectMapper objectMapper;
    private @Nullable IdempotencyStore idempotencyStore;
    private boolean closeOnShutdown;

    private Builder() {}

    /** Registers all meters here; without one, nothing is measured. */
    public Builder meterRegistry(MeterRegistry registry) {
      this.meterRegistry = registry;
      return this;
    }

    /**
     * Closes the factory when the JVM is told to end, by SIGTERM or {@link System#exit}, within the
     * same time-outs as {@link KafkaFactory#close}. Mind that an orchestrator may kill the process
     * earlier. Not for a service in a framework that closes the factory itself.
     */
    public Builder closeOnShutdown() {
      this.closeOnShutdown = true;
      return this;
    }

    /**
     * Remembers here what consumers with {@code idempotency} have handled. The store is not closed
     * with the factory.
     */
    public Builder idempotencyStore(IdempotencyStore store) {
      this.idempotencyStore = store;
      return this;
    }

    /** Reads and writes JSON with this mapper. */
    public Builder objectMapper(ObjectMapper mapper) {
      this.objectMapper = mapper;
      return this;
    }

    /**
     * Reads the configuration and makes the factory.
     *
     * @param files YAML or JSON; of several, a later one adds to and overrides an earlier one
     * @throws dev.millrace.config.ConfigException with every problem of the files
     */
    public KafkaFactory load(Path... files) {
      return create(
          ConfigLoader.create().clientSettings(ClientProperties.knownNames()).load(files));
    }

    /** Makes the factory of a configuration that is already there. */
    public KafkaFactory create(KafkaConfig config) {
      return new KafkaFactory(config, this);
    }
  }
}
