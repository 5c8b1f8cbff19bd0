package dev.millrace.internal.consumer;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.config.DeliverySemantics;
import dev.millrace.consumer.MessageConsumer;
import dev.millrace.errors.InvalidDefinitionException;
import dev.millrace.internal.client.TransactionSupport;
import dev.millrace.internal.consumer.ConsumerLauncher.Surroundings;
import dev.millrace.internal.metrics.ClientMeters;
import dev.millrace.internal.metrics.ConsumerMeters;
import dev.millrace.internal.producer.TransactionalSlot;
import dev.millrace.internal.time.EngineClock;
import dev.millrace.internal.transaction.SlotTransactions;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ShareConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.Serializer;
import org.jspecify.annotations.Nullable;

/**
 * One start of a consumer: it takes the name, notes what is opened for the engines, and starts them
 * behind a handle. When that fails, nothing stays open and the name is free again. The caller's
 * thread.
 */
final class Launch {
  private final ConsumerDefinition definition;
  private final Surroundings shared;
  private final StopRequest stop = new StopRequest(EngineClock.SYSTEM);
  private final Deque<Runnable> undo = new ArrayDeque<>();
  private final List<ClientMeters.Binding> clientMeters = new ArrayList<>();

  private Launch(ConsumerDefinition definition, Surroundings shared) {
    this.definition = definition;
    this.shared = shared;
  }

  /**
   * Returns the running consumer.
   *
   * @param engines makes them, by the names of their instances, with what it gets from the launch
   * @param onEnd told when all of them have ended; poll thread
   */
  static MessageConsumer of(
      ConsumerDefinition definition,
      Surroundings shared,
      Function<Launch, Map<String, ? extends Engine>> engines,
      java.util.function.Consumer<MessageConsumer> onEnd) {
    shared.running().reserve(definition.name());
    Launch launch = new Launch(definition, shared);
    try {
      return launch.start(engines.apply(launch), onEnd);
    } catch (RuntimeException | Error e) {
      launch.undo.forEach(Runnable::run);
      shared.running().release(definition.name());
      throw e;
    }
  }

  /** Returns what all its engines end by, so that none outlives another. */
  StopRequest stop() {
    return stop;
  }

  /**
   * Returns the meters of one instance.
   *
   * @param number from 1
   */
  ConsumerMeters meters(int number) {
    ConsumerMeters meters =
        new ConsumerMeters(shared.registry(), definition.name(), definition.groupId(), number);
    undo.push(meters::close);
    return meters;
  }

  /**
   * Returns a Kafka client, with its own meters.
   *
   * @throws InvalidDefinitionException when Kafka refuses its settings
   */
  Consumer<byte[], byte[]> client(Supplier<Consumer<byte[], byte[]>> maker) {
    Consumer<byte[], byte[]> client = made(maker);
    undo.push(client::close);
    ClientMeters.Binding bound = shared.clientMeters().bind(client, definition.name());
    undo.push(bound::close);
    clientMeters.add(bound);
    return client;
  }

  /**
   * Returns the way of what an instance's handlers send, after a look at the cluster; null when
   * they can't send.
   *
   * @throws InvalidDefinitionException when Kafka refuses the settings
   * @throws dev.millrace.errors.BrokerUnavailableException when no broker answers
   */
  @Nullable TransactionRoute transactions(
      ConsumerDefinition instance, Serializer<Object> serializer) {
    if (instance.deliverySemantics() != DeliverySemantics.EXACTLY_ONCE) {
      return null;
    }
    String owner = "Consumer '" + instance.name() + "'";
    Map<String, Map<String, Object>> settings = shared.transactionalSettings().of(instance);
    new TransactionSupport(owner, shared.brokers(), settings).prepare(List.of());
    Duration timeout = instance.transaction().timeout();
    List<SlotTransactions> slices = new ArrayList<>();
    settings.forEach(
        (id, client) -> {
          SlotTransactions slice =
              new SlotTransactions(
                  TransactionalSlot.of(
                      instance.name(), owner, client, timeout, shared.clientMeters()),
                  timeout);
          slices.add(slice);
          undo.push(() -> slice.close(Duration.ZERO));
        });
    return new TransactionRoute(slices, serializer);
  }

  /**
   * Returns the client of a queue, which is made when it is first used. Its meters are nobody's.
   */
  QueueClient queueClient(Supplier<ShareConsumer<byte[], byte[]>> maker) {
    QueueClient client = new QueueClient(definition.topics(), () -> made(maker));
    undo.push(() -> client.close(Duration.ZERO));
    return client;
  }

  private <C> C made(Supplier<C> maker) {
    try {
      return maker.get();
    } catch (KafkaException e) {
      throw new InvalidDefinitionException(
          "Consumer '%s': the Kafka client can't be made: %s"
              .formatted(
                  definition.name(),
                  e.getCause() == null ? e.getMessage() : e.getCause().getMessage()),
          e);
    }
  }

  private MessageConsumer start(
      Map<String, ? extends Engine> engines, java.util.function.Consumer<MessageConsumer> onEnd) {
    EngineHandle handle =
        new EngineHandle(
            definition.name(),
            definition.closeTimeout(),
            engines,
            stop,
            ended -> {
              clientMeters.forEach(ClientMeters.Binding::close);
              shared.running().ended(ended);
              onEnd.accept(ended);
            });
    shared.running().start(handle, handle::start);
    return handle;
  }
}
