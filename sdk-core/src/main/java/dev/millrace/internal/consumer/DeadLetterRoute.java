package dev.millrace.internal.consumer;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.internal.consumer.ConsumerLauncher.Surroundings;
import dev.millrace.internal.delivery.DeadLetters;
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
            topics::beforeSend);
  }

  /** Worker. The producer is made with the first dead letter: most consumers never need it. */
  private CompletableFuture<RecordMetadata> send(ProducerRecord<byte[], byte[]> failed) {
    try {
      topics.beforeSend(failed);
      return shared
          .deadLetterProducers()
          .slot(definition.name(), () -> shared.clientProperties().deadLetterProducer(definition))
          .send(failed);
    } catch (RuntimeException e) {
      return CompletableFuture.failedFuture(e);
    }
  }
}
