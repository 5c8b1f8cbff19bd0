package dev.millrace.internal.consumer;

import dev.millrace.errors.MillraceException;
import dev.millrace.internal.channel.Delivery;
import dev.millrace.internal.channel.LaneScheduler;
import dev.millrace.internal.channel.LaneTags;
import dev.millrace.internal.channel.Workers;
import dev.millrace.internal.delivery.GaveUp;
import dev.millrace.internal.delivery.RetryRecords;
import dev.millrace.internal.keys.KeyOrder;
import dev.millrace.internal.metrics.ConsumerMeters;
import dev.millrace.internal.offset.OffsetTicket;
import dev.millrace.internal.time.EngineClock;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Hands what was polled over to the workers. Confined to the poll thread. */
final class Intake {
  private static final Logger LOG = LoggerFactory.getLogger(Intake.class);
  private static final int UNKNOWN_EPOCH = -1;

  private final EngineClock clock;
  private final Consumer<?, ?> consumer;
  private final Assignment assignment;
  private final Promise promise;
  private final Clearance clearance;
  private final Poisoned poisoned;
  private final RedrivenForOthers forOthers;
  private final LaneTags tags;
  private final LaneScheduler scheduler;
  private final Workers workers;
  private final RetryDelays delays;
  private final RetryRecords retries;
  private final @Nullable KeyOrder keyOrder;
  private final ConsumerMeters meters;

  /**
   * @param keyOrder null when later records of a key overtake one that is in a retry topic
   */
  Intake(
      EngineClock clock,
      Consumer<?, ?> consumer,
      Assignment assignment,
      Promise promise,
      Clearance clearance,
      Poisoned poisoned,
      RedrivenForOthers forOthers,
      LaneTags tags,
      LaneScheduler scheduler,
      Workers workers,
      RetryDelays delays,
      RetryRecords retries,
      @Nullable KeyOrder keyOrder,
      ConsumerMeters meters) {
    this.clock = clock;
    this.consumer = consumer;
    this.assignment = assignment;
    this.promise = promise;
    this.clearance = clearance;
    this.poisoned = poisoned;
    this.forOthers = forOthers;
    this.tags = tags;
    this.scheduler = scheduler;
    this.workers = workers;
    this.delays = delays;
    this.retries = retries;
    this.keyOrder = keyOrder;
    this.meters = meters;
  }

  void handOver(ConsumerRecords<byte[], byte[]> polled) {
    if (polled.isEmpty() && polled.nextOffsets().isEmpty()) {
      return;
    }
    Map<TopicPartition, OffsetAndMetadata> next = new HashMap<>(polled.nextOffsets());
    Set<TopicPartition> readable = new LinkedHashSet<>(polled.partitions());
    for (TopicPartition name : polled.partitions()) {
      if (startsAnew(name, polled.records(name).get(0).offset())) {
        readable.remove(name);
        next.remove(name);
      }
    }
    switch (verdict(polled, readable, next)) {
      case HAND_OVER -> {
        long now = clock.nanos();
        for (TopicPartition name : readable) {
          OffsetAndMetadata position = Objects.requireNonNull(next.get(name), "position");
          if (delays.keepsBack(owned(name), polled.records(name), position)) {
            next.remove(name);
          } else {
            handOver(owned(name), polled.records(name), now);
          }
        }
      }
      case POLL_AGAIN ->
          readable.forEach(
              name -> {
                pollAgain(name, polled.records(name).get(0).offset());
                next.remove(name);
              });
      case LEAVE_OUT -> {}
    }
    next.forEach(
        (name, position) -> {
          if (!startsAnew(name, position.offset())) {
            owned(name).readTo(position);
          }
        });
    workers.wakeOne();
  }

  /** Hands over what has been polled of retry topics before, and is due. */
  void handOverDue() {
    long now = clock.nanos();
    delays.handOver(
        (partition, records) -> {
          handOver(partition, records, now);
          workers.wakeOne();
        });
  }

  private Clearance.Verdict verdict(
      ConsumerRecords<byte[], byte[]> polled,
      Set<TopicPartition> readable,
      Map<TopicPartition, OffsetAndMetadata> next) {
    if (readable.isEmpty()) {
      return Clearance.Verdict.HAND_OVER;
    }
    Map<AssignedPartition, Clearance.Taken> taken = new LinkedHashMap<>();
    for (TopicPartition name : readable) {
      List<ConsumerRecord<byte[], byte[]>> records = polled.records(name);
      taken.put(
          owned(name),
          new Clearance.Taken(
              records.get(0).offset(),
              records.size(),
              Objects.requireNonNull(next.get(name), "position")));
    }
    return clearance.of(taken);
  }

  private void pollAgain(TopicPartition name, long offset) {
    try {
      consumer.seek(name, offset);
    } catch (IllegalStateException gone) {
      // Under KIP-848 the client may have lost it meanwhile: its next owner polls it.
      LOG.debug("Not polled again", gone);
    }
  }

  private void handOver(
      AssignedPartition partition, List<ConsumerRecord<byte[], byte[]>> records, long now) {
    for (ConsumerRecord<byte[], byte[]> record : records) {
      if (record.offset() >= partition.end()) {
        return;
      }
      OffsetTicket ticket =
          partition.tracker().issue(record.offset(), record.leaderEpoch().orElse(UNKNOWN_EPOCH));
      if (ticket == null) {
        meters.doneBefore();
        continue;
      }
      Delivery delivery = retries.delivery(record, ticket, partition.load(), now);
      assignment.earlierTries().recall(delivery, partition.partition());
      // As it was in its own topic: there its mark was made.
      if (!forOthers.passesOver(delivery)) {
        poisoned.tell(delivery, partition.partition(), record.offset(), now);
        scheduler.offer(delivery, tag(delivery, partition));
      }
    }
  }

  /** That of the partition that it was in first, whichever it comes from. */
  private static long laneSeed(Delivery delivery, AssignedPartition partition) {
    return delivery.level() == 0
        ? partition.laneSeed()
        : LaneTags.seed(delivery.record().topic(), delivery.record().partition());
  }

  /**
   * Where keys are followed, each level has lanes of its own: a record that waits for those ahead
   * of it must not be what they wait for. A record whose order nobody knows is never handled, so
   * that it waits for no other.
   */
  private long tag(Delivery delivery, AssignedPartition partition) {
    ConsumerRecord<byte[], byte[]> record = delivery.record();
    long laneSeed = laneSeed(delivery, partition);
    Long key;
    try {
      if (keyOrder == null) {
        return tags.of(laneSeed, record);
      }
      key = tags.key(laneSeed, record);
    } catch (Throwable failure) { // The service's own; one record must not end the poll loop.
      delivery.refuse(
          new MillraceException(
              "The OrderingKey has thrown %s at %s-%d@%d"
                  .formatted(failure, record.topic(), record.partition(), record.offset()),
              failure),
          GaveUp.KEPT_FROM_HANDLER);
      return tags.withoutOrder();
    }
    delivery.ordered(keyOrder.place(partition.partition(), key));
    return key == null ? tags.withoutOrder() : LaneTags.atLevel(key, delivery.level());
  }

  /**
   * Offsets that start again below the last position mean that the log is no longer the one that
   * was read: the topic was made anew, or an unclean election cut its end off. What is known of the
   * old one must not justify a commit; what it still has below the cut, and has not ended, is read
   * again, if that was promised.
   *
   * @param firstOffset the first record's; the new position's when a poll has only passed markers
   * @return whether what was polled is to be left, because an earlier offset is read first
   */
  private boolean startsAnew(TopicPartition name, long firstOffset) {
    AssignedPartition old = owned(name);
    if (!old.tracker().isBehind(firstOffset) && !old.notDue().isBehind(firstOffset)) {
      return false;
    }
    long from = old.readOnAt(promise, firstOffset);
    boolean unfinishedBelow = from < firstOffset;
    LOG.warn(
        "The offsets of {} start again at {}; it is read on from {}.", name, firstOffset, from);
    assignment.startAnew(name);
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
}
