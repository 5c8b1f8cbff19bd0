package dev.millrace.internal.consumer;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.internal.consumer.ConsumerLauncher.Surroundings;
import dev.millrace.internal.delivery.DeadLetters;
import dev.millrace.internal.producer.ProducerSlot;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.jspecify.annotations.Nullable;

/**
 * The way of a consumer's dead letters, and of its records to retry topics: the topics, and the
 * producer that sends them. Immutable.
 */
record DeadLetterRoute(
    ConsumerDefinition definition, Surroundings shared, TopicPreparation topics) {

  private static final int LARGE_BYTES = 256 * 1024;

  /**
   * Returns what sends them, and what goes to retry topics; null when there are neither.
   *
   * @param onEach told of each one that is acknowledged
   */
  @Nullable DeadLetters open(Runnable onEach) {
    return !DeadLetters.areSent(definition)
        ? null
        : new DeadLetters(
            definition.groupId(),
            definition.deadLetter(),
            failed ->
                send(failed)
                    .whenComplete(
                        (acknowledged, failure) -> {
                          if (failure == null) {
                            onEach.run();
                          }
                        }),
            topics::beforeTransaction);
  }

  /**
   * A large one is compressed: as it came it may have been, too, and it has headers that it came
   * without.
   */
  private ProducerSlot slot(ProducerRecord<byte[], byte[]> failed) {
    return bytes(failed.key()) + bytes(failed.value()) < LARGE_BYTES
        ? shared
            .deadLetterProducers()
            .slot(definition.name(), () -> shared.clientProperties().deadLetterProducer(definition))
        : shared
            .deadLetterProducers()
            .slot(
                definition.name() + "/large",
                () -> shared.clientProperties().largeDeadLetterProducer(definition));
  }

  private static int bytes(byte @Nullable [] part) {
    return part == null ? 0 : part.length;
  }

  /** Worker. The producer is made with the first dead letter: most consumers never need it. */
  private CompletableFuture<RecordMetadata> send(ProducerRecord<byte[], byte[]> failed) {
    try {
      topics.beforeSend(failed);
      return slot(failed).send(failed);
    } catch (RuntimeException e) {
      return CompletableFuture.failedFuture(e);
    }
  }
}
