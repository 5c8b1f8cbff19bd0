package dev.millrace.internal.consumer;

import dev.millrace.internal.channel.Confinement;
import dev.millrace.internal.offset.OffsetTicket;
import dev.millrace.internal.time.EngineClock;
import dev.millrace.internal.time.LogThrottle;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The records whose acquisition locks this consumer has, and what the brokers are told of them.
 * Confined to the poll thread.
 *
 * <p>Invariant: a record is accepted only when its ticket is done, and released only when its
 * ticket never will be; it is told once, and then no longer held. One that is held has its lock
 * renewed when half of it has passed.
 *
 * <p>The client (KIP-1222) hands out nothing more before each record of its last poll has been
 * acknowledged or is being renewed; and from the moment a renewal is sent until a poll returns the
 * record, nothing else can be said of it. So all that are held are renewed at the same time, and
 * whatever ends meanwhile waits for the answer.
 */
final class RecordLocks {
  private static final Logger LOG = LoggerFactory.getLogger(RecordLocks.class);
  private static final String FORGOTTEN = "the Kafka client has let go of them";

  private final Confinement confinement = new Confinement("The record locks");
  private final String consumer;
  private final QueueClient client;
  private final EngineClock clock;
  private final long mostBetweenPollsNanos;
  private final IntConsumer lost;
  private final Consumer<TopicPartition> onNoneLeft;
  private final LogThrottle lossLog = new LogThrottle();
  private final Map<TopicPartition, Map<Long, Held>> held = new HashMap<>();
  private final Map<TopicPartition, Set<Long>> unanswered = new HashMap<>();
  private boolean renewing;
  private long renewNanos;

  /**
   * @param maxPollInterval of the client, which polls when it renews
   * @param lost counts records whose locks were lost
   * @param onNoneLeft told of a partition that has lost all that was held of it
   */
  RecordLocks(
      String consumer,
      QueueClient client,
      EngineClock clock,
      Duration maxPollInterval,
      IntConsumer lost,
      Consumer<TopicPartition> onNoneLeft) {
    this.consumer = consumer;
    this.client = client;
    this.clock = clock;
    this.mostBetweenPollsNanos = maxPollInterval.toNanos() / 2;
    this.lost = lost;
    this.onNoneLeft = onNoneLeft;
    client.onAnswer((offsets, failure) -> answered(offsets, failure));
  }

  boolean isEmpty() {
    return held.isEmpty();
  }

  /** Returns whether the record is one that a renewal has brought back. */
  boolean holds(TopicPartition partition, long offset) {
    return held.getOrDefault(partition, Map.of()).containsKey(offset);
  }

  void add(TopicPartition partition, ConsumerRecord<byte[], byte[]> record, OffsetTicket ticket) {
    confinement.check();
    if (held.isEmpty()) {
      startPeriod();
    }
    held.computeIfAbsent(partition, first -> new HashMap<>())
        .put(record.offset(), new Held(record, ticket));
  }

  /** Returns whether no record is left to wait for. */
  boolean haveAllEnded() {
    return held.values().stream()
        .allMatch(records -> records.values().stream().allMatch(Held::hasEnded));
  }

  /** Notes for the client what has become of those that have ended, unless it can't be said now. */
  void settle() {
    confinement.check();
    if (renewing) {
      return;
    }
    for (TopicPartition partition : List.copyOf(held.keySet())) {
      List<Held> ended = records(partition).filter(Held::hasEnded).toList();
      letGo(partition, offsets(ended.stream()));
      Set<Long> forgotten =
          offsets(ended.stream().filter(one -> !client.acknowledge(one.record(), one.end())));
      tellLost(partition, forgotten, FORGOTTEN);
    }
  }

  /** Returns when the locks are to be renewed. */
  long renewNanos() {
    return renewNanos;
  }

  /** Begins to renew all locks. */
  void renew() {
    settle();
    startPeriod();
    renewing = true;
    for (TopicPartition partition : List.copyOf(held.keySet())) {
      Set<Long> forgotten =
          offsets(
              records(partition)
                  .filter(one -> !client.acknowledge(one.record(), AcknowledgeType.RENEW)));
      tellLost(partition, forgotten, FORGOTTEN);
      lose(partition, forgotten);
      Set<Long> sent = offsets(records(partition));
      if (!sent.isEmpty()) {
        unanswered.put(partition, sent);
      }
    }
    client.send();
  }

  boolean isRenewing() {
    return renewing;
  }

  /** Hears what has been answered; returns whether the next poll brings back all that is held. */
  boolean isRenewalAnswered() {
    client.send();
    return unanswered.isEmpty();
  }

  /** A poll has brought back what is held. */
  void renewed() {
    renewing = false;
  }

  private void answered(
      Map<TopicIdPartition, Set<Long>> acknowledged, @Nullable Exception failure) {
    acknowledged.forEach(
        (id, offsets) -> {
          TopicPartition partition = id.topicPartition();
          Set<Long> renewals = new HashSet<>(unanswered.getOrDefault(partition, Set.of()));
          renewals.retainAll(offsets);
          unanswered.computeIfPresent(partition, (name, rest) -> without(rest, renewals));
          if (failure != null) {
            tellLost(partition, offsets, failure.toString());
            lose(partition, renewals);
          }
        });
  }

  private void tellLost(TopicPartition partition, Set<Long> offsets, String why) {
    if (offsets.isEmpty()) {
      return;
    }
    lost.accept(offsets.size());
    String end = lossLog.permit();
    if (end != null) {
      LOG.warn(
          "Consumer '{}' lost its locks on {} records of {} ({}). They are delivered again, and may"
              + " be handled twice.{}",
          consumer,
          offsets.size(),
          partition,
          why,
          end);
    }
  }

  /** Another consumer may have them now, so what has not started must not start. */
  private void lose(TopicPartition partition, Set<Long> offsets) {
    letGo(partition, offsets);
    if (!offsets.isEmpty() && !held.containsKey(partition)) {
      onNoneLeft.accept(partition);
    }
  }

  private void letGo(TopicPartition partition, Set<Long> offsets) {
    Map<Long, Held> records = held.get(partition);
    if (records != null) {
      records.keySet().removeAll(offsets);
      if (records.isEmpty()) {
        held.remove(partition);
      }
    }
  }

  private Stream<Held> records(TopicPartition partition) {
    return held.getOrDefault(partition, Map.of()).values().stream();
  }

  private static Set<Long> offsets(Stream<Held> records) {
    return records.map(one -> one.record().offset()).collect(Collectors.toCollection(HashSet::new));
  }

  private void startPeriod() {
    renewNanos = clock.nanos() + Math.min(client.lockNanos() / 2, mostBetweenPollsNanos);
  }

  private static @Nullable Set<Long> without(Set<Long> all, Set<Long> some) {
    all.removeAll(some);
    return all.isEmpty() ? null : all;
  }

  /** A record, and what its workers know of its end. */
  private record Held(ConsumerRecord<byte[], byte[]> record, OffsetTicket ticket) {

    boolean hasEnded() {
      return ticket.isDone() || ticket.isWithdrawn() || ticket.isAbandoned();
    }

    /**
     * Accepted also when it went to the dead-letter topic: that is where it is now, and a rejected
     * one the brokers may copy to a dead-letter topic of their own.
     */
    AcknowledgeType end() {
      return ticket.isDone() ? AcknowledgeType.ACCEPT : AcknowledgeType.RELEASE;
    }
  }
}
