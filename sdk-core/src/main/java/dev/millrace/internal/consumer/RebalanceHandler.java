package dev.millrace.internal.consumer;

import dev.millrace.internal.keys.KeyOrder;
import dev.millrace.internal.listener.ListenerCalls;
import dev.millrace.internal.time.EngineClock;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What happens when partitions come and go. The Kafka consumer calls it on the poll thread, inside
 * a poll.
 */
final class RebalanceHandler implements ConsumerRebalanceListener {
  private static final Logger LOG = LoggerFactory.getLogger(RebalanceHandler.class);

  private static final Duration SHORTEST_COMMIT = Duration.ofMillis(500);

  private final String consumer;
  private final EngineClock clock;
  private final PreviousWork previousWork;
  private final Assignment assignment;
  private final IntakeGate gate;
  private final @Nullable KeyOrder keyOrder;
  private final Drain drain;
  private final Commits commits;
  private final ListenerCalls listener;
  private final BoundedWait wait;
  private final Duration drainTimeout;
  private final Duration commitTimeout;

  /**
   * @param keyOrder null when later records of a key overtake one that is in a retry topic
   */
  RebalanceHandler(
      String consumer,
      EngineClock clock,
      PreviousWork previousWork,
      Assignment assignment,
      IntakeGate gate,
      @Nullable KeyOrder keyOrder,
      Drain drain,
      Commits commits,
      ListenerCalls listener,
      BoundedWait wait,
      Duration drainTimeout) {
    this.consumer = consumer;
    this.clock = clock;
    this.previousWork = previousWork;
    this.assignment = assignment;
    this.gate = gate;
    this.keyOrder = keyOrder;
    this.drain = drain;
    this.commits = commits;
    this.listener = listener;
    this.wait = wait;
    this.drainTimeout = drainTimeout;
    this.commitTimeout = commitTimeout(drainTimeout);
  }

  /** For the coordinator's answer, which a drain of no time still has to wait for. */
  static Duration commitTimeout(Duration drainTimeout) {
    return drainTimeout.compareTo(SHORTEST_COMMIT) > 0 ? drainTimeout : SHORTEST_COMMIT;
  }

  @Override
  public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
    if (partitions.isEmpty()) {
      return;
    }
    Map<TopicPartition, PreviousWork.Found> found = previousWork.of(Set.copyOf(partitions));
    for (TopicPartition name : partitions) {
      PreviousWork.Found before = found.getOrDefault(name, PreviousWork.Found.NOTHING);
      AssignedPartition partition = new AssignedPartition(name, before.done());
      before.committed().ifPresent(partition::startsAt);
      assignment.add(partition);
    }
    if (keyOrder != null) {
      keyOrder.assigned(partitions);
    }
    // Before the poll that we are in fetches from them: a full channel must not be overrun, and
    // nothing must come of what the user has paused.
    gate.assigned();
    LOG.info("Consumer '{}' was assigned {}.", consumer, partitions);
    await(listener.assigned(Set.copyOf(partitions)), clock.nanos() + drainTimeout.toNanos());
  }

  @Override
  public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
    List<AssignedPartition> leaving = assignment.owned(partitions);
    if (leaving.isEmpty()) {
      return;
    }
    LOG.info("Consumer '{}' gives up {}.", consumer, partitions);
    leaving.forEach(assignment.earlierTries()::leaves);
    long deadlineNanos = clock.nanos() + drainTimeout.toNanos();
    commits.letEnd(leaving, deadlineNanos);
    drain.untilIdle(leaving, deadlineNanos);
    // At rest, still ours, not yet committed: the moment to write out what handlers have gathered.
    await(listener.revoked(names(leaving)), deadlineNanos);
    commits.commitNow(leaving, commitTimeout);
    leaving.forEach(assignment.earlierTries()::left);
    forget(partitions);
  }

  @Override
  public void onPartitionsLost(Collection<TopicPartition> partitions) {
    List<AssignedPartition> lost = assignment.owned(partitions);
    if (lost.isEmpty()) {
      return;
    }
    // Somebody else may own them already: a commit now could overwrite theirs.
    LOG.warn("Consumer '{}' has lost {}; nothing is committed for them.", consumer, partitions);
    lost.forEach(assignment.earlierTries()::leaves);
    drain.takeBack(lost);
    lost.forEach(assignment.earlierTries()::left);
    forget(partitions);
    listener.lost(names(lost));
  }

  private void forget(Collection<TopicPartition> partitions) {
    assignment.remove(partitions);
    gate.gone(partitions);
    if (keyOrder != null) {
      keyOrder.gone(partitions);
    }
  }

  private void await(BooleanSupplier listenerReturned, long deadlineNanos) {
    if (!wait.until(listenerReturned, deadlineNanos)) {
      LOG.warn(
          "Consumer '{}' goes on, since its listener has not returned within drain-timeout {}.",
          consumer,
          drainTimeout);
    }
  }

  private static Set<TopicPartition> names(List<AssignedPartition> partitions) {
    return partitions.stream()
        .map(AssignedPartition::partition)
        .collect(Collectors.toUnmodifiableSet());
  }
}
