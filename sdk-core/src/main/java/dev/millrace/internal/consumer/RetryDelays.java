package dev.millrace.internal.consumer;

import dev.millrace.consumer.ConsumerExplanation.PauseCause;
import dev.millrace.internal.channel.InFlight;
import dev.millrace.internal.delivery.RetryRecords;
import dev.millrace.internal.delivery.RetryTopics;
import dev.millrace.internal.delivery.RetryTopics.Own;
import dev.millrace.internal.time.EngineClock;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * Has the records of retry topics wait until they are due. Confined to the poll thread.
 *
 * <p>Invariant: a record of a retry topic is handed over when its level's delay has passed since it
 * was written, or since it was polled, whichever comes first, or at once if it only follows its
 * key; but after those before it. No other partition waits for it. What waits has no ticket, so no
 * commit passes it. When much of a partition waits, it is paused; not before, since a client that
 * resumes one may wait {@code fetch.max.wait.ms} with its next fetch.
 */
final class RetryDelays {

  /** Where what is due goes. */
  interface Sink {
    /** Takes records of one partition, in offset order. */
    void handOver(AssignedPartition partition, List<ConsumerRecord<byte[], byte[]>> records);
  }

  /** About as much as a client fetches of a partition at once. */
  private static final int MOST_RECORDS = 1_000;

  private static final long MOST_BYTES = 1 << 20;

  private final RetryTopics topics;
  private final EngineClock clock;
  private final Assignment assignment;
  private final IntakeGate gate;
  private final FlowControl flow;
  private final InFlight inFlight;
  private final boolean isAwaited;

  /**
   * @param isAwaited whether what fills the channel may wait for what is there
   */
  RetryDelays(
      RetryTopics topics,
      EngineClock clock,
      Assignment assignment,
      IntakeGate gate,
      FlowControl flow,
      InFlight inFlight,
      boolean isAwaited) {
    this.topics = topics;
    this.clock = clock;
    this.assignment = assignment;
    this.gate = gate;
    this.flow = flow;
    this.inFlight = inFlight;
    this.isAwaited = isAwaited;
  }

  /**
   * Keeps back what was polled of a retry topic.
   *
   * @param next where the client goes on
   * @return false when it was polled from another topic, so that there is nothing to wait for
   */
  boolean keepsBack(
      AssignedPartition partition,
      List<ConsumerRecord<byte[], byte[]>> polled,
      OffsetAndMetadata next) {
    TopicPartition name = partition.partition();
    Own own = topics.levels() == 0 ? null : topics.own(name.topic());
    if (own == null) {
      return false;
    }
    NotDue notDue = partition.notDue();
    long ofLevel = topics.delay(own.level()).toMillis();
    Instant since = clock.now();
    long now = clock.nanos();
    for (ConsumerRecord<byte[], byte[]> record : polled) {
      long delay = RetryRecords.followsKey(record.headers()) ? 0 : ofLevel;
      // A clock that runs ahead elsewhere must not have it wait any longer than the delay.
      long millis = Math.min(record.timestamp() - since.toEpochMilli(), 0) + delay;
      notDue.hold(record, now + TimeUnit.MILLISECONDS.toNanos(millis), since);
    }
    notDue.next(next);
    if (notDue.records() >= MOST_RECORDS || notDue.bytes() >= MOST_BYTES) {
      gate.hold(name, PauseCause.NOT_DUE);
    }
    return true;
  }

  /**
   * Hands over what is due, of partitions that have no other cause to rest, while there is room;
   * and of what may be awaited some without it, each time that all of its partition has ended.
   */
  void handOver(Sink sink) {
    if (topics.levels() == 0) {
      return;
    }
    long now = clock.nanos();
    for (AssignedPartition partition : assignment.all()) {
      NotDue notDue = partition.notDue();
      TopicPartition name = partition.partition();
      int most = most(partition);
      if (most > 0 && !notDue.isEmpty() && notDue.dueNanos() - now <= 0 && mayGoOn(name)) {
        List<ConsumerRecord<byte[], byte[]>> due = notDue.takeDue(now, most);
        sink.handOver(partition, due);
        partition.tracker().position(notDue.position(due.get(due.size() - 1)));
      }
      if (notDue.records() <= MOST_RECORDS / 2 && notDue.bytes() <= MOST_BYTES / 2) {
        gate.release(name, PauseCause.NOT_DUE);
      }
    }
  }

  private int most(AssignedPartition partition) {
    int records = inFlight.inChannel();
    long bytes = inFlight.bytes();
    if (flow.hasRoom(records, bytes, inFlight.resting())) {
      return flow.maxPollRecords();
    }
    return isAwaited && partition.load().records() == 0 ? flow.mostAwaited(records, bytes) : 0;
  }

  private boolean mayGoOn(TopicPartition name) {
    return gate.causes(name).keySet().stream().allMatch(cause -> cause == PauseCause.NOT_DUE);
  }

  /**
   * Returns how long from now the first record is due that may be handed over then, or the longest
   * wait if that is less.
   */
  long nanosToNext(long longest) {
    long wait = longest;
    if (topics.levels() > 0) {
      long now = clock.nanos();
      for (AssignedPartition partition : assignment.all()) {
        if (!partition.notDue().isEmpty() && mayGoOn(partition.partition())) {
          wait = Math.min(wait, partition.notDue().dueNanos() - now);
        }
      }
    }
    return wait;
  }

  boolean isHolding() {
    return topics.levels() > 0
        && assignment.all().stream().anyMatch(partition -> !partition.notDue().isEmpty());
  }
}
