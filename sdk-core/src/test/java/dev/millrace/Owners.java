package dev.millrace;

import dev.millrace.testkit.history.History;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.BiConsumer;
import org.apache.kafka.common.TopicPartition;

/**
 * Who owns what, as the consumers themselves show it by their gauges: one for each partition, from
 * before its first record is handled until its offset is committed. Thread-safe.
 */
final class Owners {
  private static final String LAG = "millrace.consumer.lag";

  private final Map<TopicPartition, String> owners = new HashMap<>();
  private final Map<String, Integer> changes = new HashMap<>();
  private final Set<TopicPartition> handledByOwner = new HashSet<>();
  private final List<String> twoAtOnce = new ArrayList<>();

  /** Returns the registry of a member, which tells its comings and goings here and there. */
  MeterRegistry registry(String member, History history) {
    MeterRegistry registry = new SimpleMeterRegistry();
    registry
        .config()
        .onMeterAdded(
            meter ->
                partition(
                    meter,
                    member,
                    (partition, name) -> {
                      history.assigned(Set.of(partition));
                      came(partition, name);
                    }))
        .onMeterRemoved(
            meter ->
                partition(
                    meter,
                    member,
                    (partition, name) -> {
                      history.revoked(Set.of(partition));
                      went(partition, name);
                    }));
    return registry;
  }

  private static void partition(
      Meter meter, String member, BiConsumer<TopicPartition, String> then) {
    if (meter.getId().getName().equals(LAG)) {
      String topic = Objects.requireNonNull(meter.getId().getTag("topic"));
      String number = Objects.requireNonNull(meter.getId().getTag("partition"));
      then.accept(new TopicPartition(topic, Integer.parseInt(number)), member);
    }
  }

  private synchronized void came(TopicPartition partition, String member) {
    changes.merge(member, 1, Integer::sum);
    handledByOwner.remove(partition);
    String before = owners.put(partition, member);
    if (before != null) {
      twoAtOnce.add(partition + " came to " + member + " while " + before + " had it");
    }
  }

  private synchronized void went(TopicPartition partition, String member) {
    changes.merge(member, 1, Integer::sum);
    owners.remove(partition, member);
  }

  /** A record was handled by who owns its partition now. */
  synchronized void handled(TopicPartition partition, String member) {
    if (member.equals(owners.get(partition))) {
      handledByOwner.add(partition);
    }
  }

  synchronized Map<TopicPartition, String> now() {
    return Map.copyOf(owners);
  }

  /** Whether each member has as many partitions as said, and each partition's records flow. */
  synchronized boolean isSettled(Set<String> members, int share) {
    return members.stream()
            .allMatch(member -> Collections.frequency(owners.values(), member) == share)
        && handledByOwner.containsAll(owners.keySet());
  }

  /** Returns how often partitions have come to a member or gone from it. */
  synchronized int changes(String member) {
    return changes.getOrDefault(member, 0);
  }

  /** Returns what should never have been: a partition that came to one while another had it. */
  synchronized List<String> twoAtOnce() {
    return List.copyOf(twoAtOnce);
  }
}
