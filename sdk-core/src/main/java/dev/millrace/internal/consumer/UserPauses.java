package dev.millrace.internal.consumer;

import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.TopicPartition;

/**
 * What the user wants paused, owned or not: a word on all partitions, and later words on single
 * ones. Immutable.
 *
 * @param all since when all are paused, but for those with a word of their own
 * @param single since when these are paused; empty for those that are not
 */
record UserPauses(Optional<Instant> all, Map<TopicPartition, Optional<Instant>> single) {
  static final UserPauses NONE = new UserPauses(Optional.empty(), Map.of());

  Optional<Instant> since(TopicPartition partition) {
    return single.getOrDefault(partition, all);
  }

  boolean contains(TopicPartition partition) {
    return since(partition).isPresent();
  }

  static UserPauses everything(Instant now) {
    return new UserPauses(Optional.of(now), Map.of());
  }

  /** Adds partitions; those paused already stay so since the earlier time. */
  UserPauses with(Collection<TopicPartition> partitions, Instant now) {
    Map<TopicPartition, Optional<Instant>> words = new HashMap<>(single);
    partitions.forEach(name -> words.put(name, Optional.of(since(name).orElse(now))));
    return new UserPauses(all, Map.copyOf(words));
  }

  UserPauses without(Collection<TopicPartition> partitions) {
    Map<TopicPartition, Optional<Instant>> words = new HashMap<>(single);
    partitions.forEach(name -> words.put(name, Optional.empty()));
    return new UserPauses(all, Map.copyOf(words));
  }
}
