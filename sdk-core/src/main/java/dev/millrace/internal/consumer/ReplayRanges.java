package dev.millrace.internal.consumer;

import static java.util.Objects.requireNonNull;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.consumer.ReplayRange;
import dev.millrace.consumer.ReplayRange.Offsets;
import dev.millrace.consumer.ReplayRange.Partitions;
import dev.millrace.consumer.ReplayRange.Times;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;

/** From what a user wants replayed to offsets, as the log has them at this moment. */
final class ReplayRanges {
  private ReplayRanges() {}

  /**
   * Asks the brokers.
   *
   * @return those partitions in which there is something to read
   * @throws IllegalArgumentException when the range has partitions that the consumer does not read
   */
  static Map<TopicPartition, Offsets> of(
      ConsumerDefinition definition, ReplayRange range, Consumer<?, ?> client) {
    SeekTargets log = new SeekTargets(new BrokerCalls(client));
    Set<TopicPartition> names =
        range instanceof Partitions fixed
            ? checked(definition, fixed.offsets().keySet())
            : all(definition, client);
    Map<TopicPartition, Long> begins = log.beginning(names);
    Map<TopicPartition, Long> ends = log.end(names);
    Map<TopicPartition, Long> from = new HashMap<>(begins);
    Map<TopicPartition, Long> to = new HashMap<>(ends);
    if (range instanceof Times times) {
      if (times.from() != null) {
        from.putAll(log.timestamp(names, times.from()));
      }
      if (times.to() != null) {
        to.putAll(log.timestamp(names, times.to()));
      }
    } else if (range instanceof Partitions fixed) {
      fixed
          .offsets()
          .forEach(
              (name, offsets) -> {
                from.put(name, offsets.from());
                to.put(name, offsets.to());
              });
    }
    Map<TopicPartition, Offsets> ranges = new HashMap<>();
    for (TopicPartition name : names) {
      long first = Math.max(at(from, name), at(begins, name));
      long end = Math.min(at(to, name), at(ends, name));
      if (first < end) {
        ranges.put(name, new Offsets(first, end));
      }
    }
    return ranges;
  }

  private static long at(Map<TopicPartition, Long> offsets, TopicPartition name) {
    return requireNonNull(offsets.get(name));
  }

  private static Set<TopicPartition> checked(
      ConsumerDefinition definition, Set<TopicPartition> wanted) {
    Reading reading = new Reading(definition);
    List<TopicPartition> strange = wanted.stream().filter(name -> !reading.includes(name)).toList();
    if (!strange.isEmpty()) {
      throw new IllegalArgumentException(
          "Consumer '%s' does not read %s; its topics are %s."
              .formatted(definition.name(), strange, definition.subscription()));
    }
    return wanted;
  }

  private static Set<TopicPartition> all(ConsumerDefinition definition, Consumer<?, ?> client) {
    Reading reading = new Reading(definition);
    Stream<PartitionInfo> known =
        definition.topics().isEmpty()
            ? client.listTopics().values().stream().flatMap(List::stream)
            : definition.topics().stream().flatMap(topic -> client.partitionsFor(topic).stream());
    return known
        .map(info -> new TopicPartition(info.topic(), info.partition()))
        .filter(reading::includes)
        .collect(Collectors.toUnmodifiableSet());
  }
}
