package dev.millrace.internal.consumer;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.common.TopicPartition;

/** What a client is in its group, and what it was when its engine asked. */
final class SimMember {
  /**
   * What it was.
   *
   * @param owned the partitions that it had
   */
  record Snapshot(int generation, Map<TopicPartition, SimOwnership> owned) {}

  private final SimProcess process;
  private final List<Snapshot> snapshots = new ArrayList<>();
  private int generation;

  SimMember(SimProcess process) {
    this.process = process;
  }

  /** It has joined, or given something up: what it says as what it was before is refused. */
  void goesOn() {
    generation++;
  }

  /** The group's name says which snapshot it is. */
  @SuppressWarnings("removal") // Only clients make others.
  ConsumerGroupMetadata metadata() {
    snapshots.add(new Snapshot(generation, Map.copyOf(process.world.oracle.owned(process))));
    return new ConsumerGroupMetadata(Integer.toString(snapshots.size() - 1));
  }

  Snapshot at(ConsumerGroupMetadata metadata) {
    return snapshots.get(Integer.parseInt(metadata.groupId()));
  }

  boolean isCurrent(Snapshot snapshot) {
    return process.client.isMember() && snapshot.generation() == generation;
  }
}
