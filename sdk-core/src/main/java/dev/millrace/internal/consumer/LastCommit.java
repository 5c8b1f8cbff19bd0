package dev.millrace.internal.consumer;

import dev.millrace.consumer.ConsumerExplanation.PauseCause;
import dev.millrace.internal.command.WakeablePoll;
import dev.millrace.internal.time.EngineClock;
import java.time.Duration;
import java.util.List;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.InvalidOffsetException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The commit of a consumer that ends. Poll thread, when nothing runs any more.
 *
 * <p>Invariant: what is finished when a consumer ends is committed, unless its partition is lost,
 * the brokers refuse it for good, or the deadline has passed. A member that has asked to join its
 * classic group again may commit nothing until all others have asked too, which takes as long as
 * the slowest of them drains; and under KIP-848 a commit may carry an epoch that has just gone by.
 * The polls that see it through may give partitions up, which commits them, lose them, or bring new
 * ones, of which nothing is taken.
 */
final class LastCommit {
  private static final Logger LOG = LoggerFactory.getLogger(LastCommit.class);
  private static final Duration BETWEEN = Duration.ofMillis(50);

  private final EngineClock clock;
  private final Assignment assignment;
  private final IntakeGate gate;
  private final WakeablePoll poll;
  private final Commits commits;

  LastCommit(
      EngineClock clock,
      Assignment assignment,
      IntakeGate gate,
      WakeablePoll poll,
      Commits commits) {
    this.clock = clock;
    this.assignment = assignment;
    this.gate = gate;
    this.poll = poll;
    this.commits = commits;
  }

  /**
   * Tries until it succeeds or can't.
   *
   * @param atLeast how long an attempt may take even when the deadline is nearer
   */
  void make(long deadlineNanos, Duration atLeast) {
    while (true) {
      List<AssignedPartition> owned = assignment.all();
      long left = deadlineNanos - clock.nanos();
      KafkaException refusal =
          commits.tryNow(owned, Duration.ofNanos(Math.max(left, atLeast.toNanos())));
      if (refusal == null) {
        return;
      }
      if (!mayPass(refusal) || deadlineNanos - clock.nanos() <= 0) {
        commits.givenUp(owned, refusal);
        return;
      }
      gate.shut(PauseCause.CHANNEL_FULL);
      pollOn();
    }
  }

  /** A partition that comes now has nothing to commit, wherever it would start. */
  private void pollOn() {
    try {
      var unused = poll.poll(BETWEEN, () -> false);
    } catch (InvalidOffsetException ofANewPartition) {
      LOG.debug("Passed over at the end", ofANewPartition);
    }
  }

  /** For the one the group is in motion, for the other it may be, or has gone on without us. */
  private static boolean mayPass(KafkaException refusal) {
    return refusal instanceof RebalanceInProgressException
        || refusal instanceof CommitFailedException;
  }
}
