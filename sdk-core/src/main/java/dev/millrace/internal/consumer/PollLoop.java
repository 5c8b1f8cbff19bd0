package dev.millrace.internal.consumer;

import dev.millrace.internal.channel.Delivery;
import dev.millrace.internal.channel.InFlight;
import dev.millrace.internal.channel.LaneScheduler;
import dev.millrace.internal.channel.LaneTags;
import dev.millrace.internal.channel.PollThreadSignal;
import dev.millrace.internal.channel.WorkerPool;
import dev.millrace.internal.metrics.ConsumerMeters;
import dev.millrace.internal.offset.CompletedAhead;
import dev.millrace.internal.offset.OffsetTicket;
import dev.millrace.internal.offset.OffsetTracker;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
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

  private static final int UNKNOWN_EPOCH = -1;
  private static final long LAG_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final Consumer<byte[], byte[]> consumer;
  private final Assignment assignment;
  private final FlowControl flow;
  private final IntakeGate gate;
  private final LaneTags tags;
  private final LaneScheduler scheduler;
  private final WorkerPool workers;
  private final OffsetCommitter committer;
  private final ConsumerMeters meters;
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
      ConsumerMeters meters,
      PollThreadSignal signal) {
    this.consumer = consumer;
    this.assignment = assignment;
    this.flow = flow;
    this.gate = gate;
    this.tags = tags;
    this.scheduler = scheduler;
    this.workers = workers;
    this.committer = committer;
    this.meters = meters;
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
   * Offsets that start again below the last position mean that the log is no longer the one that
   * was read: the topic was made anew, or an unclean election cut its end off. What is known of the
   * old one must not justify a commit; what it still has below the cut, and has not ended, is read
   * again.
   *
   * @return whether the batch is to be left, because an earlier offset is read first
   */
  private boolean startsAnew(TopicPartition name, long firstOffset) {
    OffsetTracker old = owned(name).tracker();
    if (!old.isBehind(firstOffset)) {
      return false;
    }
    old.advance();
    boolean unfinishedBelow = old.oldestOpen() >= 0 && old.oldestOpen() < firstOffset;
    long from = unfinishedBelow ? old.oldestOpen() : firstOffset;
    LOG.warn(
        "The offsets of {} start again at {}; it is read on from {}.", name, firstOffset, from);
    old.takeBack();
    assignment.remove(List.of(name));
    assignment.add(name, CompletedAhead.NONE);
    if (unfinishedBelow) {
      consumer.seek(name, from);
    }
    return unfinishedBelow;
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
      OffsetTracker tracker = partition.tracker();
      int open = tracker.advance();
      partition.unsaved(tracker.unsaved());
      if (gate.isHeld(name)) {
        if (flow.hasCaughtUp(open, tracker.unsaved())) {
          gate.release(name);
        }
      } else if (flow.isTooFarAhead(open, tracker.unsaved())) {
        gate.hold(name);
        LOG.warn(
            "No more of {} is taken for now: {} records were delivered since offset {}, which has not"
                + " ended; {} of them are done, but there is no room to say so in a commit.",
            name,
            open,
            tracker.oldestOpen(),
            tracker.unsaved());
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
    Map<TopicPartition, OffsetAndMetadata> next = new HashMap<>(polled.nextOffsets());
    for (TopicPartition name : polled.partitions()) {
      List<ConsumerRecord<byte[], byte[]>> records = polled.records(name);
      if (startsAnew(name, records.get(0).offset())) {
        next.remove(name);
      } else {
        handOver(owned(name), records, now);
      }
    }
    next.forEach((name, position) -> owned(name).tracker().position(position));
    workers.wakeOne();
  }

  private void handOver(
      AssignedPartition partition, List<ConsumerRecord<byte[], byte[]>> records, long now) {
    for (ConsumerRecord<byte[], byte[]> record : records) {
      OffsetTicket ticket =
          partition.tracker().issue(record.offset(), record.leaderEpoch().orElse(UNKNOWN_EPOCH));
      if (ticket == null) {
        meters.doneBefore();
      } else {
        scheduler.offer(new Delivery(record, ticket, now), tags.of(partition.laneSeed(), record));
      }
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
