package dev.millrace.internal.consumer;

import dev.millrace.internal.channel.Delivery;
import dev.millrace.internal.channel.InFlight;
import dev.millrace.internal.channel.LaneScheduler;
import dev.millrace.internal.channel.LaneTags;
import dev.millrace.internal.channel.PollThreadSignal;
import dev.millrace.internal.channel.WorkerPool;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The poll thread's work: poll, hand over, commit, again. The sole caller of the Kafka consumer
 * from its first poll to its close. It never runs a handler and, but for partitions that leave,
 * never waits for one.
 */
final class PollLoop {
  private static final Logger LOG = LoggerFactory.getLogger(PollLoop.class);
  private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  /** How long a full channel is waited for before the partitions are paused. */
  private static final long ROOM_WAIT_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

  private static final long LAG_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final Consumer<byte[], byte[]> consumer;
  private final Assignment assignment;
  private final FlowControl flow;
  private final IntakeGate gate;
  private final LaneTags tags;
  private final LaneScheduler scheduler;
  private final WorkerPool workers;
  private final OffsetCommitter committer;
  private final PollThreadSignal signal;
  private long lagDueNanos = System.nanoTime();

  PollLoop(
      Consumer<byte[], byte[]> consumer,
      Assignment assignment,
      FlowControl flow,
      IntakeGate gate,
      LaneTags tags,
      LaneScheduler scheduler,
      WorkerPool workers,
      OffsetCommitter committer,
      PollThreadSignal signal) {
    this.consumer = consumer;
    this.assignment = assignment;
    this.flow = flow;
    this.gate = gate;
    this.tags = tags;
    this.scheduler = scheduler;
    this.workers = workers;
    this.committer = committer;
    this.signal = signal;
  }

  /** One turn; takes about 100 ms when nothing comes. */
  void turn() {
    long now = System.nanoTime();
    committer.commitIfDue(now, assignment.all());
    holdBack();
    measureLag(now);
    if (hasRoom() || awaitRoom(now)) {
      gate.open();
      long wait = Math.min(POLL_NANOS, committer.dueNanos() - now);
      handOver(consumer.poll(Duration.ofNanos(Math.max(0, wait))));
    } else {
      // Paused partitions return nothing, but the group sees a live member.
      gate.shut();
      handOver(consumer.poll(Duration.ZERO));
    }
  }

  /**
   * Offsets that start again below the last position mean another log under the same name: the
   * topic was made anew, or truncated. What is known of the old one must not justify a commit.
   */
  private AssignedPartition ownerOf(TopicPartition name, long firstOffset) {
    AssignedPartition partition = owned(name);
    if (!partition.tracker().isBehind(firstOffset)) {
      return partition;
    }
    LOG.warn(
        "The offsets of {} start again at {}; unfinished records are dropped.", name, firstOffset);
    partition.tracker().takeBack();
    assignment.remove(List.of(name));
    assignment.add(name);
    return owned(name);
  }

  private AssignedPartition owned(TopicPartition name) {
    AssignedPartition partition = assignment.get(name);
    if (partition == null) {
      throw new IllegalStateException(
          "The Kafka client returned records of " + name + ", which was not assigned.");
    }
    return partition;
  }

  /** One record that does not end must not have a partition run ahead of it without bound. */
  private void holdBack() {
    for (AssignedPartition partition : assignment.all()) {
      TopicPartition name = partition.partition();
      int open = partition.tracker().advance();
      if (gate.isHeld(name)) {
        if (flow.hasCaughtUp(open)) {
          gate.release(name);
        }
      } else if (flow.isTooFarAhead(open)) {
        gate.hold(name);
        LOG.warn(
            "No more of {} is taken for now: {} records were delivered since offset {}, which has not"
                + " ended.",
            name,
            open,
            partition.tracker().oldestOpen());
      }
    }
  }

  private boolean hasRoom() {
    InFlight inFlight = scheduler.inFlight();
    return flow.hasRoom(inFlight.records(), inFlight.bytes());
  }

  private boolean awaitRoom(long now) {
    InFlight inFlight = scheduler.inFlight();
    return signal.await(
        () -> flow.hasRoomAgain(inFlight.records(), inFlight.bytes()),
        () -> flow.hasRoomAgain(inFlight.records(), inFlight.bytes()),
        now + ROOM_WAIT_NANOS);
  }

  private void handOver(ConsumerRecords<byte[], byte[]> polled) {
    if (polled.isEmpty() && polled.nextOffsets().isEmpty()) {
      return;
    }
    long now = System.nanoTime();
    for (TopicPartition name : polled.partitions()) {
      List<ConsumerRecord<byte[], byte[]>> records = polled.records(name);
      handOver(ownerOf(name, records.get(0).offset()), records, now);
    }
    polled.nextOffsets().forEach((name, next) -> owned(name).tracker().position(next));
    workers.wakeOne();
  }

  private void handOver(
      AssignedPartition partition, List<ConsumerRecord<byte[], byte[]>> records, long now) {
    for (ConsumerRecord<byte[], byte[]> record : records) {
      Delivery delivery = new Delivery(record, partition.tracker().issue(record.offset()), now);
      scheduler.offer(delivery, tags.of(partition.laneSeed(), record));
    }
  }

  private void measureLag(long now) {
    if (now - lagDueNanos < 0) {
      return;
    }
    lagDueNanos = now + LAG_NANOS;
    for (AssignedPartition partition : assignment.all()) {
      OptionalLong behindPosition = consumer.currentLag(partition.partition());
      behindPosition.ifPresent(lag -> partition.lag(lag + partition.tracker().ahead()));
    }
  }
}
