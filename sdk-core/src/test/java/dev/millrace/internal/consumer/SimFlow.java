package dev.millrace.internal.consumer;

import java.time.Duration;
import java.util.Collection;
import org.apache.kafka.common.TopicPartition;

/**
 * What must hold of the records between the poll and their ends, and of the poll thread's turns.
 */
final class SimFlow {
  private final SimWorld world;
  private final SimOracle oracle;

  SimFlow(SimWorld world, SimOracle oracle) {
    this.world = world;
    this.oracle = oracle;
  }

  /**
   * Q1: what was delivered is at work, or has ended in exactly one way. B1: nothing is at work that
   * is said to rest.
   */
  void balances(SimProcess process) {
    Collection<SimOwnership> owned = oracle.owned(process).values();
    int open = process.workLeftBehind(owned);
    for (SimOwnership ownership : owned) {
      open += ownership.open;
    }
    // Those that have left may wait for a transaction, only to find out that they were taken back.
    int atMost = world.exactlyOnce ? Integer.MAX_VALUE : open;
    oracle.require(
        open <= process.inFlight() && process.inFlight() <= atMost,
        "Q1: ",
        process,
        " holds ",
        process.inFlight(),
        " records, but ",
        open,
        " have not ended");
    oracle.require(
        process.inChannel() >= process.running.size(),
        "B1: ",
        process,
        " runs ",
        process.running.size(),
        " records, but only ",
        process.inChannel(),
        " take room");
  }

  /** P1: what the user has paused stays so. */
  void fetched(SimProcess process, TopicPartition partition) {
    oracle.require(
        !process.isPausedByUser(partition),
        "P1: ",
        process,
        " reads ",
        partition,
        ", which its user has paused");
  }

  /** B1: what has rested may take more room than there is, but nothing is polled then. */
  void polled(SimProcess process, int records) {
    oracle.require(
        records == 0 || process.inChannel() + records <= process.definition.channelCapacity(),
        "B1: ",
        process,
        " polls ",
        records,
        " records beside ",
        process.inChannel());
  }

  /** B2. */
  void turned(SimProcess process, long nanos) {
    // One for those that leave, one for the listener when others come.
    Duration waits = process.definition.drainTimeout().multipliedBy(world.listens ? 2 : 1);
    Duration commits =
        world.exactlyOnce
            ? RebalanceHandler.commitTimeout(process.definition.drainTimeout())
            : Duration.ZERO;
    Duration most = waits.plus(commits).plus(SimWorld.LONGEST_STEP.multipliedBy(8));
    oracle.require(
        nanos <= most.toNanos(),
        "B2: ",
        process,
        " took ",
        Duration.ofNanos(nanos).toMillis(),
        " ms for a turn");
  }

  void wasWoken(SimProcess process, boolean inVain) {
    oracle.require(inVain, "V1: ", process, " has what it waited for, but nobody woke it");
  }
}
