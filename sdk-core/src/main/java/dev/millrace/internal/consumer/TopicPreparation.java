package dev.millrace.internal.consumer;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.config.DeadLetterDefinition;
import dev.millrace.config.Subscription.Partition;
import dev.millrace.config.Subscription.Partitions;
import dev.millrace.errors.InvalidDefinitionException;
import dev.millrace.internal.client.Brokers;
import dev.millrace.internal.delivery.DeadLetters;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * Sees to it that a consumer's topics are there, before it starts; dead-letter topics of what a
 * pattern finds, with the first dead letter of each, since the topics are not known before. Any
 * thread.
 */
final class TopicPreparation {
  private final ConsumerDefinition definition;
  private final Brokers brokers;
  private final Map<String, Object> settings;
  private final String owner;
  private final boolean creates;
  private final Set<String> prepared = ConcurrentHashMap.newKeySet();

  TopicPreparation(ConsumerDefinition definition, Brokers brokers, Map<String, Object> settings) {
    this.definition = definition;
    this.brokers = brokers;
    this.settings = settings;
    this.owner = "Consumer '" + definition.name() + "'";
    DeadLetterDefinition deadLetter = definition.deadLetter();
    this.creates = deadLetter != null && deadLetter.createTopic();
  }

  /**
   * At the start.
   *
   * @throws dev.millrace.errors.BrokerUnavailableException when no broker answers
   * @throws InvalidDefinitionException when Kafka refuses the settings, or a fixed partition is not
   *     there
   */
  void prepare() {
    Pattern pattern = Reading.pattern(definition);
    if (pattern != null) {
      brokers.lookForTopics(owner, settings, pattern);
      return;
    }
    Map<String, String> deadLetterTopics = DeadLetters.topics(definition);
    List<String> needed = new ArrayList<>(definition.topics());
    if (!creates) {
      needed.addAll(deadLetterTopics.keySet());
    }
    prepared.addAll(deadLetterTopics.keySet());
    brokers.prepareTopics(
        owner,
        settings,
        needed,
        this::requireFixedPartitions,
        creates ? deadLetterTopics : Map.of());
  }

  /** A client would wait for them in silence, and the engine for where they begin. */
  private void requireFixedPartitions(Map<String, Integer> counts) {
    if (!(definition.subscription() instanceof Partitions fixed)) {
      return;
    }
    for (Partition partition : fixed.partitions()) {
      Integer count = counts.get(partition.topic());
      if (count == null || partition.number() >= count) {
        throw new InvalidDefinitionException(
            "%s is to read partition %s, but the brokers %s; correct 'partitions', or create what is missing."
                .formatted(
                    owner,
                    partition,
                    count == null
                        ? "show no topic '" + partition.topic() + "'"
                        : "have %d partitions of that topic, from 0 to %d"
                            .formatted(count, count - 1)),
            null);
      }
    }
  }

  /**
   * Worker, before it sends; waits for the brokers with the first one of a topic. A second worker
   * does not wait: its send fails while the topic is not there, and is repeated.
   */
  void beforeDeadLetter(ProducerRecord<byte[], byte[]> deadLetter) {
    if (!creates || !prepared.add(deadLetter.topic())) {
      return;
    }
    try {
      String source = DeadLetters.origin(deadLetter);
      brokers.prepareTopics(
          owner, settings, List.of(source), counts -> {}, Map.of(deadLetter.topic(), source));
    } catch (RuntimeException e) {
      prepared.remove(deadLetter.topic());
      throw e;
    }
  }
}
