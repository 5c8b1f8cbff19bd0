package dev.millrace.internal.consumer;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.config.HandlerThreads;
import dev.millrace.consumer.AsyncRecordHandler;
import dev.millrace.consumer.BatchHandler;
import dev.millrace.consumer.ConsumerListener;
import dev.millrace.consumer.MessageConsumer;
import dev.millrace.consumer.OrderingKey;
import dev.millrace.consumer.PreparedConsumer;
import dev.millrace.consumer.RecordHandler;
import dev.millrace.errors.InvalidDefinitionException;
import dev.millrace.internal.client.Brokers;
import dev.millrace.internal.client.ClientProperties;
import dev.millrace.internal.client.ConsumerSettings;
import dev.millrace.internal.delivery.DeadLetters;
import dev.millrace.internal.delivery.Handling;
import dev.millrace.internal.metrics.ClientMeters;
import dev.millrace.internal.metrics.ConsumerMeters;
import dev.millrace.internal.producer.ProducerPool;
import dev.millrace.internal.time.EngineClock;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.Deserializer;
import org.jspecify.annotations.Nullable;

/**
 * Turns a definition and a handler into a running consumer, or into an error that leaves nothing.
 */
public final class ConsumerLauncher<V> implements PreparedConsumer<V> {

  /**
   * What a factory's consumers share.
   *
   * @param running told of each consumer that has started and of each that has ended
   */
  public record Surroundings(
      ClientProperties clientProperties,
      Brokers brokers,
      ProducerPool deadLetterProducers,
      MeterRegistry registry,
      ClientMeters clientMeters,
      RunningConsumers running) {}

  private final ConsumerDefinition definition;
  private final Deserializer<V> deserializer;
  private final Surroundings shared;
  private final List<ConsumerDefinition> instances;
  private final List<ConsumerSettings> settings;
  private final TopicPreparation topics;
  private final ServiceHooks hooks;

  /**
   * Reads the definition.
   *
   * @throws InvalidDefinitionException when the Kafka client refuses the settings, or this JVM has
   *     no virtual threads and the definition wants them
   */
  public ConsumerLauncher(
      ConsumerDefinition definition, Deserializer<V> deserializer, Surroundings shared) {
    this.definition = definition;
    this.deserializer = deserializer;
    this.shared = shared;
    this.instances = definition.perInstance();
    this.settings = instances.stream().map(shared.clientProperties()::consumer).toList();
    this.topics = new TopicPreparation(definition, shared.brokers(), settings.get(0).properties());
    this.hooks = ServiceHooks.NONE;
    requireThreads(definition);
  }

  private ConsumerLauncher(ConsumerLauncher<V> prepared, ServiceHooks hooks) {
    this.definition = prepared.definition;
    this.deserializer = prepared.deserializer;
    this.shared = prepared.shared;
    this.instances = prepared.instances;
    this.settings = prepared.settings;
    this.topics = prepared.topics;
    this.hooks = hooks;
  }

  private static void requireThreads(ConsumerDefinition definition) {
    if (definition.handlerThreads() == HandlerThreads.VIRTUAL && !VirtualThreads.supported()) {
      throw new InvalidDefinitionException(
          "Consumer '%s': 'handler-threads: virtual' needs Java 21 or newer, this is Java %s; run the service on a newer Java, or leave it at 'platform'."
              .formatted(definition.name(), Runtime.version().feature()),
          null);
    }
  }

  @Override
  public PreparedConsumer<V> listener(ConsumerListener told) {
    return new ConsumerLauncher<>(this, hooks.listener(told));
  }

  @Override
  public PreparedConsumer<V> orderBy(OrderingKey orderingKey) {
    return new ConsumerLauncher<>(this, hooks.orderBy(orderingKey, definition));
  }

  @Override
  public MessageConsumer subscribe(RecordHandler<? super V> handler) {
    Objects.requireNonNull(handler, "handler");
    return subscribe(Handling.inWorker(handler));
  }

  @Override
  public MessageConsumer subscribe(RecordHandler<? super V> handler, Executor executor) {
    Objects.requireNonNull(handler, "handler");
    Objects.requireNonNull(executor, "executor");
    return subscribe(Handling.onExecutor(handler, executor));
  }

  @Override
  public MessageConsumer subscribeAsync(AsyncRecordHandler<? super V> handler) {
    Objects.requireNonNull(handler, "handler");
    return subscribe(Handling.asynchronous(handler));
  }

  @Override
  public MessageConsumer subscribeBatch(BatchHandler<? super V> handler) {
    Objects.requireNonNull(handler, "handler");
    return subscribe(Handling.inBatches(handler));
  }

  private MessageConsumer subscribe(Handling<V> handling) {
    shared.running().reserve(definition.name());
    try {
      topics.prepare();
      return start(handling);
    } catch (RuntimeException | Error e) {
      shared.running().release(definition.name());
      throw e;
    }
  }

  private Consumer<byte[], byte[]> newClient(ConsumerSettings its) {
    try {
      return new KafkaConsumer<>(its.properties());
    } catch (KafkaException e) {
      throw new InvalidDefinitionException(
          "Consumer '%s': the Kafka client can't be made: %s"
              .formatted(
                  definition.name(),
                  e.getCause() == null ? e.getMessage() : e.getCause().getMessage()),
          e);
    }
  }

  private MessageConsumer start(Handling<V> handling) {
    StopRequest stop = new StopRequest(EngineClock.SYSTEM);
    ServiceHooks theirHooks = hooks.sharedBy(instances.size());
    Map<String, ConsumerEngine> engines = new LinkedHashMap<>();
    Deque<Runnable> undo = new ArrayDeque<>();
    List<ClientMeters.Binding> clientMeters = new ArrayList<>();
    try {
      for (int i = 0; i < instances.size(); i++) {
        ConsumerDefinition its = instances.get(i);
        ConsumerSettings itsSettings = settings.get(i);
        Consumer<byte[], byte[]> client = newClient(itsSettings);
        undo.push(client::close);
        ConsumerMeters meters =
            new ConsumerMeters(shared.registry(), definition.name(), definition.groupId(), i + 1);
        undo.push(meters::close);
        ClientMeters.Binding bound = shared.clientMeters().bind(client, definition.name());
        undo.push(bound::close);
        clientMeters.add(bound);
        engines.put(
            its.name(),
            new ConsumerEngine(
                its,
                itsSettings.maxPollRecords(),
                client,
                deserializer,
                handling,
                deadLetters(),
                meters,
                stop,
                ThreadedRuntime.of(its, handling),
                theirHooks));
      }
      EngineHandle handle =
          new EngineHandle(
              definition.name(),
              definition.closeTimeout(),
              engines,
              stop,
              ended -> {
                clientMeters.forEach(ClientMeters.Binding::close);
                shared.running().ended(ended);
              });
      shared.running().start(handle, handle::start);
      return handle;
    } catch (RuntimeException | Error e) {
      undo.forEach(Runnable::run);
      throw e;
    }
  }

  private @Nullable DeadLetters deadLetters() {
    return definition.deadLetter() == null
        ? null
        : new DeadLetters(definition.groupId(), definition.deadLetter(), this::sendDeadLetter);
  }

  /** Worker. The producer is made with the first dead letter: most consumers never need it. */
  private CompletableFuture<RecordMetadata> sendDeadLetter(
      ProducerRecord<byte[], byte[]> deadLetter) {
    try {
      topics.beforeDeadLetter(deadLetter);
      return shared
          .deadLetterProducers()
          .slot(definition.name(), () -> shared.clientProperties().deadLetterProducer(definition))
          .send(deadLetter);
    } catch (RuntimeException e) {
      return CompletableFuture.failedFuture(e);
    }
  }
}
