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
import io.micrometer.core.instrument.MeterRegistry;
import java.util.ArrayList;
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
  private final ConsumerSettings settings;
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
    this.settings = shared.clientProperties().consumer(definition);
    this.hooks = ServiceHooks.NONE;
    requireThreads(definition);
  }

  private ConsumerLauncher(ConsumerLauncher<V> prepared, ServiceHooks hooks) {
    this.definition = prepared.definition;
    this.deserializer = prepared.deserializer;
    this.shared = prepared.shared;
    this.settings = prepared.settings;
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
      prepareTopics();
      return start(newClient(), handling);
    } catch (RuntimeException | Error e) {
      shared.running().release(definition.name());
      throw e;
    }
  }

  private void prepareTopics() {
    Map<String, String> deadLetterTopics = DeadLetters.topics(definition);
    boolean create = definition.deadLetter() != null && definition.deadLetter().createTopic();
    List<String> needed = new ArrayList<>(definition.topics());
    if (!create) {
      needed.addAll(deadLetterTopics.keySet());
    }
    shared
        .brokers()
        .prepareTopics(
            "Consumer '" + definition.name() + "'",
            settings.properties(),
            needed,
            create ? deadLetterTopics : Map.of());
  }

  private Consumer<byte[], byte[]> newClient() {
    try {
      return new KafkaConsumer<>(settings.properties());
    } catch (KafkaException e) {
      throw new InvalidDefinitionException(
          "Consumer '%s': the Kafka client can't be made: %s"
              .formatted(
                  definition.name(),
                  e.getCause() == null ? e.getMessage() : e.getCause().getMessage()),
          e);
    }
  }

  private MessageConsumer start(Consumer<byte[], byte[]> client, Handling<V> handling) {
    ConsumerMeters meters =
        new ConsumerMeters(shared.registry(), definition.name(), definition.groupId());
    ClientMeters.Binding clientMeters = () -> {};
    try {
      ClientMeters.Binding bound = shared.clientMeters().bind(client, definition.name());
      clientMeters = bound;
      EngineRuntime runtime = ThreadedRuntime.of(definition, handling);
      StopRequest stop = new StopRequest(runtime.clock());
      ConsumerEngine engine =
          new ConsumerEngine(
              definition,
              settings.maxPollRecords(),
              client,
              deserializer,
              handling,
              deadLetters(),
              meters,
              stop,
              runtime,
              hooks);
      EngineHandle handle =
          new EngineHandle(
              definition.name(),
              definition.closeTimeout(),
              engine,
              stop,
              ended -> {
                bound.close();
                shared.running().ended(ended);
              });
      shared.running().start(handle, handle::start);
      return handle;
    } catch (RuntimeException | Error e) {
      clientMeters.close();
      meters.close();
      client.close();
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
      return shared
          .deadLetterProducers()
          .slot(definition.name(), () -> shared.clientProperties().deadLetterProducer(definition))
          .send(deadLetter);
    } catch (RuntimeException e) {
      return CompletableFuture.failedFuture(e);
    }
  }
}
