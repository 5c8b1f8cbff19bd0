package dev.millrace.internal.consumer;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.config.Subscription;
import dev.millrace.config.Subscription.Matching;
import dev.millrace.config.Subscription.Partitions;
import dev.millrace.internal.delivery.DeadLetters;
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
 * <p>Invariant: a consumer never reads its own dead letters. Of what a pattern finds, the group's
 * own topics are left out; of what is named, the loader refuses them.
 */
final class Reading {
  private final Subscription subscription;
  private final @Nullable Pattern pattern;

  Reading(ConsumerDefinition definition) {
    this.subscription = definition.subscription();
    this.pattern = pattern(definition);
  }

  /** Returns which topics' names the definition's pattern finds; null when it has none. */
  static @Nullable Pattern pattern(ConsumerDefinition definition) {
    return definition.subscription() instanceof Matching matching
        ? matching.except(DeadLetters.ownTopics(definition))
        : null;
  }

  /** Any thread. */
  boolean includes(TopicPartition partition) {
    if (pattern != null) {
      return pattern.matcher(partition.topic()).matches();
    }
    return subscription instanceof Partitions fixed
        ? names(fixed).contains(partition)
        : subscription.topics().contains(partition.topic());
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
      client.subscribe(subscription.topics(), rebalances);
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
