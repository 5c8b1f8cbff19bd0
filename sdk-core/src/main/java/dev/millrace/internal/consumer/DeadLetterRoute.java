package dev.millrace.internal.consumer;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.internal.consumer.ConsumerLauncher.Surroundings;
import dev.millrace.internal.delivery.DeadLetters;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.jspecify.annotations.Nullable;

/**
 * The way of a consumer's dead letters: their topic, and the producer that sends them. Immutable.
 */
record DeadLetterRoute(
    ConsumerDefinition definition, Surroundings shared, TopicPreparation topics) {

  /**
   * Returns what sends them; null when the consumer stops instead.
   *
   * @param onEach told of each one that is acknowledged
   */
  @Nullable DeadLetters open(Runnable onEach) {
    return definition.deadLetter() == null
        ? null
        : new DeadLetters(
            definition.groupId(),
            definition.deadLetter(),
            deadLetter ->
                send(deadLetter)
                    .whenComplete(
                        (acknowledged, failure) -> {
                          if (failure == null) {
                            onEach.run();
                          }
                        }),
            topics::beforeDeadLetter);
  }

  /** Worker. The producer is made with the first dead letter: most consumers never need it. */
  private CompletableFuture<RecordMetadata> send(ProducerRecord<byte[], byte[]> deadLetter) {
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
