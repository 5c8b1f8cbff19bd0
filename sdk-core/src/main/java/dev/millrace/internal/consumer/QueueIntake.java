package dev.millrace.internal.consumer;

import dev.millrace.internal.channel.Delivery;
import dev.millrace.internal.channel.LaneScheduler;
import dev.millrace.internal.channel.LaneTags;
import dev.millrace.internal.channel.Workers;
import dev.millrace.internal.offset.CompletedAhead;
import dev.millrace.internal.offset.OffsetTicket;
import dev.millrace.internal.time.EngineClock;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.TopicPartition;

/**
 * Hands a queue's records over to the workers. Confined to the poll thread.
 *
 * <p>Offsets are in order within one poll only, since records come again. So a partition's tracker
 * lasts from one poll to the end of its last record; then the next poll is made.
 */
final class QueueIntake {
  private static final int UNKNOWN_EPOCH = -1;

  private final EngineClock clock;
  private final Assignment assignment;
  private final RedrivenForOthers forOthers;
  private final LaneTags tags;
  private final LaneScheduler scheduler;
  private final Workers workers;
  private final RecordLocks locks;

  QueueIntake(
      EngineClock clock,
      Assignment assignment,
      RedrivenForOthers forOthers,
      LaneTags tags,
      LaneScheduler scheduler,
      Workers workers,
      RecordLocks locks) {
    this.clock = clock;
    this.assignment = assignment;
    this.forOthers = forOthers;
    this.tags = tags;
    this.scheduler = scheduler;
    this.workers = workers;
    this.locks = locks;
  }

  /** Passes over those that a renewal has brought back. */
  void handOver(ConsumerRecords<byte[], byte[]> polled) {
    long now = clock.nanos();
    for (TopicPartition name : polled.partitions()) {
      List<ConsumerRecord<byte[], byte[]>> taken =
          polled.records(name).stream()
              .filter(record -> !locks.holds(name, record.offset()))
              .toList();
      if (!taken.isEmpty()) {
        handOver(partition(name), taken, now);
      }
    }
    workers.wakeOne();
  }

  private void handOver(
      AssignedPartition partition, List<ConsumerRecord<byte[], byte[]>> taken, long now) {
    for (ConsumerRecord<byte[], byte[]> record : taken) {
      OffsetTicket ticket =
          partition.tracker().issue(record.offset(), record.leaderEpoch().orElse(UNKNOWN_EPOCH));
      if (ticket == null) {
        throw new IllegalStateException("Nothing was done before in " + partition.partition());
      }
      locks.add(partition.partition(), record, ticket);
      Delivery delivery = new Delivery(record, ticket, partition.load(), now);
      if (!forOthers.passesOver(delivery)) {
        scheduler.offer(delivery, tags.of(partition.laneSeed(), record));
      }
    }
  }

  private AssignedPartition partition(TopicPartition name) {
    AssignedPartition known = assignment.get(name);
    if (known != null) {
      return known;
    }
    AssignedPartition added = new AssignedPartition(name, CompletedAhead.NONE);
    assignment.add(added);
    return added;
  }
}
