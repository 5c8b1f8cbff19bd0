package dev.millrace.internal.consumer;

import dev.millrace.internal.offset.CompletedAhead;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** The logs and the group, as a broker has them. */
final class SimBroker {
  static final String TOPIC = "orders";

  private static final String[] KEYS = {"a", "b", "c"};

  /** A partition's log; markers and what compaction has taken leave gaps in its offsets. */
  static final class Log {
    final TopicPartition partition;
    final NavigableMap<Long, String> keys = new TreeMap<>();
    long end;

    Log(TopicPartition partition) {
      this.partition = partition;
    }
  }

  final List<Log> logs = new ArrayList<>();
  final Map<TopicPartition, OffsetAndMetadata> committed = new HashMap<>();

  private final Map<TopicPartition, SimConsumer> owners = new HashMap<>();
  private final Map<TopicPartition, SimConsumer> targets = new HashMap<>();
  private final List<SimConsumer> members = new ArrayList<>();
  private final SimWorld world;

  /** The broker's {@code offset.metadata.max.bytes}. */
  private final int mostMetadata;

  SimBroker(SimWorld world, int partitions) {
    this.world = world;
    this.mostMetadata = world.oneIn(8) ? world.random.nextInt(20) : CompletedAhead.MAX_CHARS;
    for (int i = 0; i < partitions; i++) {
      logs.add(new Log(new TopicPartition(TOPIC, i)));
    }
  }

  Log log(TopicPartition partition) {
    return logs.get(partition.partition());
  }

  void append(int most) {
    Log log = logs.get(world.random.nextInt(logs.size()));
    int count = 1 + world.random.nextInt(most);
    for (int i = 0; i < count; i++) {
      if (world.oneIn(8)) {
        log.end += 1 + world.random.nextInt(3);
      }
      int key = world.random.nextInt(KEYS.length + 1);
      log.keys.put(log.end++, key == KEYS.length ? "" : KEYS[key]);
    }
    if (world.oneIn(8)) {
      log.end++;
    }
  }

  // The group.

  void join(SimConsumer member) {
    members.add(member);
    rebalance();
  }

  void leave(SimConsumer member) {
    members.remove(member);
    owners.values().removeIf(owner -> owner == member);
    rebalance();
  }

  /** Decides anew who is to have what; each member learns of it in its next poll. */
  void rebalance() {
    targets.clear();
    if (!members.isEmpty()) {
      for (Log log : logs) {
        targets.put(log.partition, members.get(world.random.nextInt(members.size())));
      }
    }
  }

  /** The member's session has expired: others may have its partitions at once. */
  void expire(SimConsumer member) {
    leave(member);
    member.fenced();
  }

  @Nullable SimConsumer owner(TopicPartition partition) {
    return owners.get(partition);
  }

  void release(SimConsumer member, TopicPartition partition) {
    owners.remove(partition, member);
  }

  /** Gives the member what is meant for it and nobody has. */
  List<TopicPartition> take(SimConsumer member) {
    List<TopicPartition> taken = new ArrayList<>();
    for (Log log : logs) {
      if (isMeantFor(member, log.partition) && !owners.containsKey(log.partition)) {
        owners.put(log.partition, member);
        taken.add(log.partition);
      }
    }
    return taken;
  }

  boolean isMeantFor(SimConsumer member, TopicPartition partition) {
    return targets.get(partition) == member;
  }

  boolean takesMetadata(Map<TopicPartition, OffsetAndMetadata> offsets) {
    return offsets.values().stream().allMatch(offset -> offset.metadata().length() <= mostMetadata);
  }

  /** Whether all that is done beyond an offset can be saved with it. */
  boolean takesAllMetadata() {
    return mostMetadata == CompletedAhead.MAX_CHARS;
  }

  void commit(Map<TopicPartition, OffsetAndMetadata> offsets) {
    committed.putAll(offsets);
  }
}
