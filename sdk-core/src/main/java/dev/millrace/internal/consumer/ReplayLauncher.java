package dev.millrace.internal.consumer;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.config.MissingOffset;
import dev.millrace.consumer.MessageConsumer;
import dev.millrace.consumer.RecordHandler;
import dev.millrace.consumer.Replay;
import dev.millrace.consumer.ReplayRange;
import dev.millrace.consumer.ReplayRange.Offsets;
import dev.millrace.consumer.ReplaySummary;
import dev.millrace.errors.MillraceException;
import dev.millrace.internal.client.ConsumerSettings;
import dev.millrace.internal.consumer.ConsumerLauncher.Surroundings;
import dev.millrace.internal.delivery.Handling;
import dev.millrace.internal.runtime.ThreadedRuntime;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Deserializer;

/** From a range and a handler to a running replay, or an error that leaves nothing open. */
final class ReplayLauncher<V> {
  private final ConsumerDefinition definition;
  private final ConsumerSettings settings;
  private final Deserializer<V> deserializer;
  private final Surroundings shared;
  private final ServiceHooks hooks;
  private final TopicPreparation topics;

  /**
   * @param replayed whose records are read again
   */
  ReplayLauncher(
      ConsumerDefinition replayed,
      Deserializer<V> deserializer,
      Surroundings shared,
      ServiceHooks hooks) {
    // What retention deletes under it is passed over, with a warning and a count. And it sends
    // nothing to retry topics: the group would handle that, which has no part in a replay.
    this.definition =
        replayed
            .as(replayed.name() + "-replay", new MissingOffset(MissingOffset.Start.EARLIEST))
            .withRetry(replayed.retry().inPlace());
    this.settings = shared.clientProperties().replay(replayed);
    this.deserializer = deserializer;
    this.shared = shared;
    // Without idempotency: who replays wants the records once more.
    this.hooks = new ServiceHooks(null, hooks.orderingKey(), null, null, hooks.failureClassifier());
    this.topics = new TopicPreparation(definition, shared.brokers(), settings.properties());
  }

  Replay start(ReplayRange range, RecordHandler<? super V> handler) {
    CompletableFuture<ReplaySummary> end = new CompletableFuture<>();
    CompletableFuture<ReplayState> state = new CompletableFuture<>();
    MessageConsumer running =
        Launch.of(
            definition,
            shared,
            launch -> {
              topics.prepare();
              Consumer<byte[], byte[]> client =
                  launch.client(() -> new KafkaConsumer<>(settings.properties()));
              ReplayState its = new ReplayState(ranges(range, client));
              state.complete(its);
              return Map.of(definition.name(), engine(launch, client, handler, its));
            },
            ended ->
                ended
                    .failure()
                    .ifPresentOrElse(
                        end::completeExceptionally, () -> end.complete(state.join().summary())));
    return new ReplayHandle(running, state.join(), end);
  }

  private Map<TopicPartition, Offsets> ranges(ReplayRange range, Consumer<byte[], byte[]> client) {
    try {
      return ReplayRanges.of(definition, range, client);
    } catch (KafkaException e) {
      throw new MillraceException(
          "Consumer '%s' can't find out what the brokers have of its range: %s"
              .formatted(definition.name(), e.getMessage()),
          e);
    }
  }

  private ConsumerEngine engine(
      Launch launch,
      Consumer<byte[], byte[]> client,
      RecordHandler<? super V> handler,
      ReplayState state) {
    Handling<V> handling = Handling.inWorker(state.counted(handler));
    return new ConsumerEngine(
        definition,
        settings.maxPollRecords(),
        client,
        deserializer,
        handling,
        new DeadLetterRoute(definition, shared, topics).open(state::deadLettered),
        launch.meters(1),
        launch.stop(),
        ThreadedRuntime.of(definition, handling),
        hooks,
        state,
        null,
        null);
  }
}
