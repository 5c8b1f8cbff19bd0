package dev.millrace.internal.consumer;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.config.DeadLetterDefinition;
import dev.millrace.config.Subscription.Partition;
import dev.millrace.config.Subscription.Partitions;
import dev.millrace.errors.InvalidDefinitionException;
import dev.millrace.internal.client.Brokers;
import dev.millrace.internal.client.Brokers.Companion;
import dev.millrace.internal.client.DeadLetterTopics;
import dev.millrace.internal.client.RetryTopicSettings;
import dev.millrace.internal.delivery.DeadLetters;
import dev.millrace.internal.delivery.RetryTopics;
import dev.millrace.internal.delivery.RetryTopics.Own;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiFunction;
import java.util.regex.Pattern;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * Sees to it that a consumer's topics are there, before it starts; dead-letter and retry topics of
 * what a pattern finds, with the first record for each, since the topics are not known before; and
 * those that could not be created then, with each record that needs one, until it is there. Any
 * thread.
 *
 * <p>Invariant: a topic is prepared only if it was there once, is not ours to create, or is being
 * created; but for the last, it is never created again.
 */
final class TopicPreparation {
  private final ConsumerDefinition definition;
  private final Brokers brokers;
  private final Map<String, Object> settings;
  private final String owner;
  private final RetryTopics retries;
  private final boolean createsDeadLetters;
  private final boolean createsRetries;
  private final Set<String> prepared = ConcurrentHashMap.newKeySet();

  TopicPreparation(ConsumerDefinition definition, Brokers brokers, Map<String, Object> settings) {
    this.definition = definition;
    this.brokers = brokers;
    this.settings = settings;
    this.owner = "Consumer '" + definition.name() + "'";
    DeadLetterDefinition deadLetter = definition.deadLetter();
    this.createsDeadLetters = deadLetter != null && deadLetter.createTopic();
    this.retries = new RetryTopics(definition);
    this.createsRetries = definition.retry().topics().create();
  }

  /**
   * At the start.
   *
   * @throws dev.millrace.errors.BrokerUnavailableException when no broker answers
   * @throws InvalidDefinitionException when Kafka refuses the settings, a fixed partition is not
   *     there, or a retry topic that is there would lose records
   */
  void prepare() {
    Pattern pattern = Reading.pattern(definition);
    if (pattern != null) {
      brokers.lookForTopics(owner, settings, pattern);
      return;
    }
    Map<String, String> deadLetterTopics = DeadLetters.topics(definition);
    List<String> needed = new ArrayList<>(definition.topics());
    List<Companion> created = new ArrayList<>();
    sort(deadLetterTopics, createsDeadLetters, Companion::deadLetters, needed, created);
    sort(retries.sources(), createsRetries, this::retryTopic, needed, created);
    prepared.addAll(deadLetterTopics.keySet());
    prepared.addAll(retries.sources().keySet());
    prepared.removeAll(
        brokers.prepareTopics(owner, settings, needed, this::requireFixedPartitions, created));
    requireThatRetryTopicsKeepRecords();
  }

  private Companion retryTopic(String topic, String source) {
    Own own = Objects.requireNonNull(retries.own(topic));
    return Companion.retries(topic, source, retries.delay(own.level()));
  }

  private void requireThatRetryTopicsKeepRecords() {
    if (!retries.names().isEmpty()) {
      brokers
          .topicSettings(owner, settings, retries.names())
          .forEach(
              (topic, told) -> {
                Own own = Objects.requireNonNull(retries.own(topic));
                RetryTopicSettings.require(owner, topic, retries.delay(own.level()), told);
              });
    }
  }

  private void sort(
      Map<String, String> topics,
      boolean create,
      BiFunction<String, String, Companion> companion,
      List<String> needed,
      List<Companion> created) {
    if (create) {
      topics.forEach((topic, source) -> created.add(companion.apply(topic, source)));
    } else {
      needed.addAll(topics.keySet());
    }
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
   * Worker, before it sends in a transaction.
   *
   * @param doubted whether the topic could not be written when it was last tried
   */
  void beforeTransaction(ProducerRecord<byte[], byte[]> failed, boolean doubted) {
    beforeSend(failed);
    if (doubted) {
      new DeadLetterTopics(owner, brokers, settings).requireWritable(failed.topic());
    }
  }

  /**
   * Worker, before it sends; waits for the brokers when the topic may have to be created. A second
   * worker does not wait: its send fails while the topic is not there, and is repeated.
   */
  void beforeSend(ProducerRecord<byte[], byte[]> failed) {
    String topic = failed.topic();
    Own retry = retries.own(topic);
    if (!(retry == null ? createsDeadLetters : createsRetries) || !prepared.add(topic)) {
      return;
    }
    boolean there = false;
    try {
      String source = retry == null ? DeadLetters.origin(failed) : retry.source();
      Companion companion =
          retry == null ? Companion.deadLetters(topic, source) : retryTopic(topic, source);
      there =
          brokers
              .prepareTopics(owner, settings, List.of(source), counts -> {}, List.of(companion))
              .isEmpty();
    } finally {
      if (!there) {
        prepared.remove(topic);
      }
    }
  }
}
