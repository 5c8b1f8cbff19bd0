package dev.millrace.internal.consumer;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.config.Subscription;
import dev.millrace.config.Subscription.Matching;
import dev.millrace.config.Subscription.Partitions;
import dev.millrace.internal.delivery.DeadLetters;
import dev.millrace.internal.delivery.RetryTopics;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * What a consumer reads, and how its Kafka client comes by it. Immutable.
 *
 * <p>Invariant: a consumer never reads its own dead letters, nor a retry topic but as such. Of what
 * a pattern finds, the topics of what a group gave up are left out; of what is named, the loader
 * refuses them.
 */
final class Reading {
  private final Subscription subscription;
  private final Set<String> names;
  private final @Nullable Pattern pattern;

  Reading(ConsumerDefinition definition) {
    this.subscription = definition.subscription();
    this.names = new LinkedHashSet<>(subscription.topics());
    names.addAll(new RetryTopics(definition).names());
    this.pattern = pattern(definition);
  }

  /**
   * Returns which topics' names the definition's pattern finds, and those of their retry topics;
   * null when it has none.
   */
  static @Nullable Pattern pattern(ConsumerDefinition definition) {
    if (!(definition.subscription() instanceof Matching matching)) {
      return null;
    }
    Pattern sources = matching.except(DeadLetters.notRead(definition, matching));
    RetryTopics retries = new RetryTopics(definition);
    return retries.levels() == 0
        ? sources
        : Pattern.compile(sources.pattern() + "|" + retries.regex(matching.regex()));
  }

  /** Any thread. */
  boolean includes(TopicPartition partition) {
    if (pattern != null) {
      return pattern.matcher(partition.topic()).matches();
    }
    return subscription instanceof Partitions fixed
        ? names(fixed).contains(partition)
        : names.contains(partition.topic());
  }

  /**
   * Tells the client. The pattern is the client's to apply under both protocols: what the brokers
   * would apply, RE2, can't leave anything out.
   *
   * @param rebalances told by the client, inside its polls, of what the group gives and takes
   */
  void subscribe(Consumer<?, ?> client, ConsumerRebalanceListener rebalances) {
    if (pattern != null) {
      client.subscribe(pattern, rebalances);
    } else if (subscription instanceof Partitions fixed) {
      client.assign(names(fixed));
    } else {
      client.subscribe(names, rebalances);
    }
  }

  /** Poll thread, before its first poll: of fixed partitions no client tells. */
  void begin(ConsumerRebalanceListener rebalances) {
    if (subscription instanceof Partitions fixed) {
      rebalances.onPartitionsAssigned(names(fixed));
    }
  }

  private static Set<TopicPartition> names(Partitions fixed) {
    return fixed.partitions().stream()
        .map(partition -> new TopicPartition(partition.topic(), partition.number()))
        .collect(Collectors.toUnmodifiableSet());
  }
}
