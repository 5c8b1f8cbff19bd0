package dev.millrace.internal.consumer;

import dev.millrace.internal.offset.CompletedAhead;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** The logs and the group, as a broker has them. */
final class SimBroker {
  static final String TOPIC = "orders";

  private static final String[] KEYS = {"a", "b", "c"};

  /**
   * What is committed.
   *
   * @param life of the log in which the committing member has read
   * @param believesTooMuch see {@link SimOwnership#believesTooMuch}
   */
  record Commit(OffsetAndMetadata said, int life, boolean believesTooMuch) {}

  final List<SimLog> logs = new ArrayList<>();
  final Map<TopicPartition, Commit> committed = new HashMap<>();

  /** What was committed before that. */
  final Map<TopicPartition, @Nullable Commit> before = new HashMap<>();

  private final Map<TopicPartition, SimConsumer> owners = new HashMap<>();
  private final Map<TopicPartition, SimConsumer> targets = new HashMap<>();
  private final List<SimConsumer> members = new ArrayList<>();
  final SimCoordinator coordinator;
  private final SimWorld world;

  /** The broker's {@code offset.metadata.max.bytes}. */
  private final int mostMetadata;

  SimBroker(SimWorld world, int partitions) {
    this.world = world;
    this.mostMetadata =
        !world.exactlyOnce && world.oneIn(8) ? world.random.nextInt(20) : CompletedAhead.MAX_CHARS;
    this.coordinator = new SimCoordinator(world, 1_000_000L * (200 + world.random.nextInt(800)));
    for (int i = 0; i < partitions; i++) {
      logs.add(new SimLog(new TopicPartition(TOPIC, i)));
    }
  }

  SimLog log(TopicPartition partition) {
    return logs.get(partition.partition());
  }

  void append(int most) {
    SimLog log = anyLog();
    int count = 1 + world.random.nextInt(most);
    for (int i = 0; i < count; i++) {
      if (world.oneIn(8)) {
        log.end += 1 + world.random.nextInt(3);
      }
      int key = world.random.nextInt(KEYS.length + 1);
      boolean forOthers = world.oneIn(10);
      if (forOthers) {
        world.oracle.excuse(log.partition, log.end);
      }
      log.append(key == KEYS.length ? "" : KEYS[key], world.clock.now().toEpochMilli(), forOthers);
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
      for (SimLog log : logs) {
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
    for (SimLog log : logs) {
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

  void commit(Map<TopicPartition, Commit> commits) {
    commits.keySet().forEach(partition -> before.put(partition, committed.get(partition)));
    committed.putAll(commits);
  }

  // What becomes of logs.

  /** Retention deletes the oldest records. */
  void retain() {
    SimLog log = anyLog();
    long begin = log.begin + world.random.nextInt((int) (log.end - log.begin) + 1);
    world.log(log.partition, " begins at ", begin, " now");
    world.oracle.removed(log.partition, log.begin, begin);
    log.beginAt(begin);
  }

  /** A leader is elected that may not have the newest records. */
  void elect() {
    SimLog log = anyLog();
    long missing = Math.min(log.end - log.begin, world.random.nextInt(12));
    world.log(log.partition, " is cut at ", log.end - missing);
    world.oracle.removed(log.partition, log.end - missing, log.end);
    log.cutAt(log.end - missing);
  }

  /** A topic is deleted, and with it mostly its commits, and made anew. */
  void makeAnew() {
    SimLog log = anyLog();
    world.log(log.partition, " is made anew");
    world.oracle.removed(log.partition, 0, log.end);
    log.makeAnew();
    if (!world.oneIn(4)) {
      committed.remove(log.partition);
    }
  }

  /** Somebody moves the group's offsets to where there are records, where nobody owns them. */
  void repairOffsets() {
    for (SimLog log : logs) {
      Commit commit = committed.get(log.partition);
      if (owner(log.partition) == null
          && !coordinator.isPending(log.partition)
          && (commit == null || commit.life() != log.life || commit.said().offset() < log.begin)) {
        committed.put(log.partition, new Commit(new OffsetAndMetadata(log.begin), log.life, false));
      }
    }
  }

  private SimLog anyLog() {
    return logs.get(world.random.nextInt(logs.size()));
  }
}
