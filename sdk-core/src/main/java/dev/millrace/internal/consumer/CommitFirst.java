package dev.millrace.internal.consumer;

import dev.millrace.internal.metrics.ConsumerMeters;
import dev.millrace.internal.time.EngineClock;
import dev.millrace.internal.time.LogThrottle;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Commits what was polled before any of it starts: at-most-once. One commit for all records of a
 * poll, made while the workers are at those of the poll before. Confined to the poll thread.
 *
 * <p>Invariant: a record is handed to a worker only after a commit beyond it has been acknowledged
 * to this member, and its position never goes back before it by itself. The coordinator takes a
 * commit only from a member of the generation that stands, so whoever reads the partition next, and
 * after whatever crash, begins beyond the record.
 *
 * <p>So a commit may be repeated: it says the same, and only an acknowledgement lets the records
 * start. What is not known to be taken or refused may have been taken, so its records are given up
 * and counted; and nothing more is polled until a commit has been acknowledged, so that one outage
 * costs one poll.
 */
final class CommitFirst implements Clearance {
  private static final Logger LOG = LoggerFactory.getLogger(CommitFirst.class);

  /** A commit is tried so often within its time, since a requested stop is seen in between. */
  private static final int TRIES = 10;

  private static final long REST_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

  private final String consumer;
  private final OffsetCommitter committer;
  private final Supplier<Collection<AssignedPartition>> owned;
  private final StopRequest stop;
  private final BoundedWait wait;
  private final EngineClock clock;
  private final ConsumerMeters meters;
  private final Duration oneTry;
  private final LogThrottle againLog = new LogThrottle();
  private final LogThrottle notStartedLog = new LogThrottle();
  private boolean inDoubt;

  /**
   * @param within how long an answer is waited for, all tries together; keeps well below {@code
   *     max.poll.interval.ms}
   */
  CommitFirst(
      String consumer,
      OffsetCommitter committer,
      Supplier<Collection<AssignedPartition>> owned,
      StopRequest stop,
      BoundedWait wait,
      EngineClock clock,
      ConsumerMeters meters,
      Duration within) {
    this.consumer = consumer;
    this.committer = committer;
    this.owned = owned;
    this.stop = stop;
    this.wait = wait;
    this.clock = clock;
    this.meters = meters;
    this.oneTry = within.dividedBy(TRIES);
  }

  @Override
  public boolean isPossible() {
    if (inDoubt) {
      inDoubt = committer.tryNow(owned.get(), oneTry) != null;
      if (inDoubt) {
        rest();
      }
    }
    return !inDoubt;
  }

  @Override
  public Verdict of(Map<AssignedPartition, Taken> taken) {
    Map<AssignedPartition, OffsetAndMetadata> offsets = new HashMap<>();
    taken.forEach((partition, records) -> offsets.put(partition, records.next()));
    KafkaException refusal = commit(offsets);
    if (refusal == null) {
      return Verdict.HAND_OVER;
    }
    if (isRefused(refusal)) {
      rest();
      logAgain(taken, refusal);
      return Verdict.POLL_AGAIN;
    }
    inDoubt = true;
    meters.notStarted(taken.values().stream().mapToInt(Taken::records).sum());
    logNotStarted(taken, refusal);
    return Verdict.LEAVE_OUT;
  }

  private @Nullable KafkaException commit(Map<AssignedPartition, OffsetAndMetadata> offsets) {
    KafkaException refusal = committer.tryNow(offsets, oneTry);
    for (int tries = 1;
        tries < TRIES && refusal != null && !isRefused(refusal) && !stop.isRequested();
        tries++) {
      rest();
      refusal = committer.tryNow(offsets, oneTry);
    }
    return refusal;
  }

  /**
   * Whether the last try was certainly not taken. An earlier one may have been, unheard of: then
   * the records are polled again by us or by nobody, and have not started.
   */
  private static boolean isRefused(KafkaException refusal) {
    return refusal instanceof RebalanceInProgressException
        || refusal instanceof CommitFailedException
        || refusal instanceof FencedInstanceIdException
        || refusal instanceof AuthorizationException;
  }

  /** A group in motion refuses commits at once, for as long as its slowest member takes. */
  private void rest() {
    boolean unused = wait.until(() -> false, clock.nanos() + REST_NANOS);
  }

  private void logAgain(Map<AssignedPartition, Taken> taken, KafkaException refusal) {
    String end = againLog.permit();
    if (end != null) {
      LOG.warn(
          "Consumer '{}' could not commit {} before handling it, and polls it again: {}{}",
          consumer,
          ranges(taken),
          refusal.toString(),
          end);
    }
  }

  private void logNotStarted(Map<AssignedPartition, Taken> taken, KafkaException refusal) {
    String end = notStartedLog.permit();
    if (end != null) {
      LOG.warn(
          "Consumer '{}' can't know whether {} is committed, so that these records are not handled,"
              + " now or later: {}{}",
          consumer,
          ranges(taken),
          refusal.toString(),
          end);
    }
  }

  private static List<String> ranges(Map<AssignedPartition, Taken> taken) {
    return taken.entrySet().stream()
        .map(
            entry ->
                "%s from %d to before %d, %d records"
                    .formatted(
                        entry.getKey().partition(),
                        entry.getValue().from(),
                        entry.getValue().next().offset(),
                        entry.getValue().records()))
        .toList();
  }
}
