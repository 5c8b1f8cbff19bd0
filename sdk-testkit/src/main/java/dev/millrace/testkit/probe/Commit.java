package dev.millrace.testkit.probe;

import java.time.Instant;
import org.apache.kafka.common.TopicPartition;

/**
 * One commit of a group as the broker logged it.
 *
 * @param partition what was committed
 * @param offset the next offset to read; -1 for a tombstone
 * @param leaderEpoch the epoch of the last record read; -1 when the client named none
 * @param metadata what the client sent along; empty when nothing
 * @param timestamp the broker's wall clock when it took the commit, in ms since 1970
 * @param place its offset in the group's partition of {@code __consumer_offsets}
 * @param state whether it counts
 * @param effectivePlace where it began to count: {@code place}, or the place of its transaction's
 *     commit marker; -1 when it does not count
 * @param effectiveTimestamp when it began to count: {@code timestamp}, or that of the marker, by
 *     the broker's wall clock; -1 when it does not count
 * @param producerId who committed it in a transaction; -1 for a commit outside of one
 * @param tombstone whether it removes the offset instead: expired, deleted by an operator, or its
 *     topic was
 */
public record Commit(
    TopicPartition partition,
    long offset,
    int leaderEpoch,
    String metadata,
    long timestamp,
    long place,
    State state,
    long effectivePlace,
    long effectiveTimestamp,
    long producerId,
    boolean tombstone) {

  /** Whether a commit counts. */
  public enum State {
    /** It counts, or did until the next one. */
    COMMITTED,
    /** Its transaction was aborted. */
    ABORTED,
    /** Its transaction is open. */
    PENDING
  }

  /** Returns whether it was made in a transaction. */
  public boolean transactional() {
    return producerId >= 0;
  }

  /** Returns one line for people. */
  @Override
  public String toString() {
    return "%s commit %s of %s, __consumer_offsets@%d%s"
        .formatted(
            Instant.ofEpochMilli(timestamp),
            tombstone ? "(tombstone)" : "@" + offset,
            partition,
            place,
            transactional() ? ", " + state + " by producer " + producerId : "");
  }
}
