package dev.millrace.internal.consumer;

import java.util.Map;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;

/** Whether what is polled may be handed over to the workers. Poll thread. */
interface Clearance {

  /** What becomes of records that have been polled. */
  enum Verdict {
    /** They are handed over. */
    HAND_OVER,
    /** They are not handed over now, and polled again. */
    POLL_AGAIN,
    /** They are not handed over, and never polled again. */
    LEAVE_OUT
  }

  /** Clears everything, as where commits come after the handlers. */
  Clearance GIVEN = positions -> Verdict.HAND_OVER;

  /** Returns whether anything that is polled now may be cleared; asked before each poll. */
  default boolean isPossible() {
    return true;
  }

  /**
   * Decides about all records of one poll.
   *
   * @param taken the partitions that have some, with what was polled of them
   */
  Verdict of(Map<AssignedPartition, Taken> taken);

  /**
   * What was polled of a partition.
   *
   * @param from the first record's offset
   * @param records how many
   * @param next where the next poll goes on
   */
  record Taken(long from, int records, OffsetAndMetadata next) {}
}
