package dev.millrace.internal.consumer;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.config.ConsumerMode;
import dev.millrace.config.HandlerThreads;
import dev.millrace.consumer.AsyncRecordHandler;
import dev.millrace.consumer.BatchHandler;
import dev.millrace.consumer.ConsumerListener;
import dev.millrace.consumer.FailureClassifier;
import dev.millrace.consumer.IdempotencyKey;
import dev.millrace.consumer.MessageConsumer;
import dev.millrace.consumer.OrderingKey;
import dev.millrace.consumer.PreparedConsumer;
import dev.millrace.consumer.RecordHandler;
import dev.millrace.consumer.Replay;
import dev.millrace.consumer.ReplayRange;
import dev.millrace.errors.InvalidDefinitionException;
import dev.millrace.idempotency.IdempotencyStore;
import dev.millrace.internal.client.Brokers;
import dev.millrace.internal.client.ClientProperties;
import dev.millrace.internal.client.ConsumerSettings;
import dev.millrace.internal.client.ShareGroups;
import dev.millrace.internal.client.TransactionalSettings;
import dev.millrace.internal.delivery.Handling;
import dev.millrace.internal.keys.ClientRetryLogs;
import dev.millrace.internal.keys.KeyOrder;
import dev.millrace.internal.keys.RetryLogs;
import dev.millrace.internal.metrics.ClientMeters;
import dev.millrace.internal.producer.ProducerPool;
import dev.millrace.internal.runtime.ThreadedRuntime;
import dev.millrace.internal.runtime.VirtualThreads;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Executor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serializer;
import org.jspecify.annotations.Nullable;

/**
 * Turns a definition and a handler into a running consumer, or into an error that leaves nothing.
 */
public final class ConsumerLauncher<V> implements PreparedConsumer<V> {

  /**
   * What a factory's consumers share.
   *
   * @param idempotencyStore null when the service has none
   * @param running told of each consumer that has started and of each that has ended
   */
  public record Surroundings(
      ClientProperties clientProperties,
      TransactionalSettings transactionalSettings,
      Brokers brokers,
      ProducerPool deadLetterProducers,
      MeterRegistry registry,
      ClientMeters clientMeters,
      @Nullable IdempotencyStore idempotencyStore,
      RunningConsumers running) {}

  /** Short: a close waits for it. */
  private static final Duration FORGET_WITHIN = Duration.ofSeconds(1);

  private final ConsumerDefinition definition;
  private final Deserializer<V> deserializer;
  private final Serializer<Object> outputs;
  private final Surroundings shared;
  private final List<ConsumerDefinition> instances;
  private final String group;
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
      ConsumerDefinition definition,
      Deserializer<V> deserializer,
      Serializer<Object> outputs,
      Surroundings shared) {
    this.definition = definition;
    this.outputs = outputs;
    this.deserializer = deserializer;
    this.shared = shared;
    this.instances = definition.perInstance();
    this.group = ClientProperties.group(definition);
    this.settings =
        instances.stream()
            .map(instance -> shared.clientProperties().consumer(instance, group))
            .toList();
    this.topics = new TopicPreparation(definition, shared.brokers(), settings.get(0).properties());
    this.hooks = ServiceHooks.NONE;
    requireThreads(definition);
    KeyOrder.requireOffered(definition);
  }

  private ConsumerLauncher(ConsumerLauncher<V> prepared, ServiceHooks hooks) {
    this.definition = prepared.definition;
    this.outputs = prepared.outputs;
    this.deserializer = prepared.deserializer;
    this.shared = prepared.shared;
    this.instances = prepared.instances;
    this.group = prepared.group;
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
    if (definition.mode() == ConsumerMode.QUEUE) {
      throw new UnsupportedOperationException(
          "Consumer '%s' has no use for a listener: its mode is queue, whose partitions are nobody's own, so none is assigned or revoked."
              .formatted(definition.name()));
    }
    return new ConsumerLauncher<>(this, hooks.listener(told));
  }

  @Override
  public PreparedConsumer<V> orderBy(OrderingKey orderingKey) {
    return new ConsumerLauncher<>(this, hooks.orderBy(orderingKey, definition));
  }

  @Override
  public PreparedConsumer<V> idempotencyKey(IdempotencyKey idempotencyKey) {
    return new ConsumerLauncher<>(this, hooks.idempotencyKey(idempotencyKey, definition));
  }

  @Override
  public PreparedConsumer<V> failureClassifier(FailureClassifier classifier) {
    return new ConsumerLauncher<>(this, hooks.failureClassifier(classifier));
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

  @Override
  public Replay replay(ReplayRange range, RecordHandler<? super V> handler) {
    Objects.requireNonNull(range, "range");
    Objects.requireNonNull(handler, "handler");
    return new ReplayLauncher<>(definition, deserializer, shared, hooks).start(range, handler);
  }

  private MessageConsumer subscribe(Handling<V> handling) {
    KeyOrder.requireOffered(definition, handling);
    return Launch.of(
        definition,
        shared,
        launch -> {
          topics.prepare();
          return definition.mode() == ConsumerMode.QUEUE
              ? queues(launch, handling)
              : engines(launch, handling);
        },
        ended -> forgetGroup());
  }

  /** Poll thread, when all has ended. A group that is this start's own has no other end. */
  private void forgetGroup() {
    if (definition.mode() == ConsumerMode.BROADCAST
        && definition.membership().instanceId() == null) {
      shared
          .brokers()
          .deleteGroup(
              "Consumer '" + definition.name() + "'",
              settings.get(0).properties(),
              group,
              FORGET_WITHIN);
    }
  }

  private Map<String, ConsumerEngine> engines(Launch launch, Handling<V> handling) {
    ServiceHooks theirHooks = withIdempotency(hooks.sharedBy(instances.size()));
    DeadLetterRoute deadLetters = new DeadLetterRoute(definition, shared, topics);
    Map<String, ConsumerEngine> engines = new LinkedHashMap<>();
    for (int i = 0; i < instances.size(); i++) {
      ConsumerDefinition its = instances.get(i);
      ConsumerSettings itsSettings = settings.get(i);
      engines.put(
          its.name(),
          new ConsumerEngine(
              its,
              itsSettings.maxPollRecords(),
              launch.client(() -> new KafkaConsumer<>(itsSettings.properties())),
              deserializer,
              handling,
              deadLetters.open(() -> {}),
              launch.meters(i + 1),
              launch.stop(),
              ThreadedRuntime.of(its, handling),
              theirHooks,
              null,
              launch.transactions(its, outputs),
              retryLogs(itsSettings)));
    }
    return engines;
  }

  /** Its client is made when it is first needed, by the thread that uses it. */
  private @Nullable RetryLogs retryLogs(ConsumerSettings member) {
    return KeyOrder.isKept(definition)
        ? new ClientRetryLogs(() -> new KafkaConsumer<>(ClientProperties.besideGroup(member)))
        : null;
  }

  private ServiceHooks withIdempotency(ServiceHooks others) {
    return others.idempotency(definition, group, shared.idempotencyStore());
  }

  private Map<String, QueueEngine> queues(Launch launch, Handling<V> handling) {
    ServiceHooks theirHooks = withIdempotency(hooks);
    new ShareGroups(shared.brokers(), settings.get(0).properties()).prepare(definition);
    DeadLetterRoute deadLetters = new DeadLetterRoute(definition, shared, topics);
    Map<String, QueueEngine> queues = new LinkedHashMap<>();
    for (int i = 0; i < instances.size(); i++) {
      ConsumerDefinition its = instances.get(i);
      ConsumerSettings itsSettings = settings.get(i);
      queues.put(
          its.name(),
          new QueueEngine(
              its,
              itsSettings.maxPollInterval(),
              launch.queueClient(() -> new KafkaShareConsumer<>(itsSettings.properties())),
              deserializer,
              handling,
              deadLetters.open(() -> {}),
              launch.meters(i + 1),
              launch.stop(),
              ThreadedRuntime.of(its, handling),
              theirHooks));
    }
    return queues;
  }
}
