package dev.millrace.internal.consumer;

/**
 * Decides when the channel takes more. Pure: numbers in, an answer out.
 *
 * <p>Invariant: records in flight never exceed the capacity, because a poll is let through only
 * when all it may return fits. Bytes are known only after a poll, so they may exceed their bound by
 * one.
 *
 * @param capacity the most records in flight
 * @param capacityBytes no poll while this many bytes or more are in flight
 * @param maxPollRecords the most records one poll returns
 */
record FlowControl(int capacity, long capacityBytes, int maxPollRecords) {
  private static final int MOST_AHEAD = 20_000;

  /** Whether one more poll fits. */
  boolean hasRoom(int records, long bytes) {
    return records <= capacity - maxPollRecords && bytes < capacityBytes;
  }

  /**
   * Whether a full channel has emptied far enough to poll again: half of the room that a full one
   * lacks, so that the poll thread is not woken for every record.
   */
  boolean hasRoomAgain(int records, long bytes) {
    int resumeBelow = Math.max(0, capacity - maxPollRecords - maxPollRecords / 2);
    return records <= resumeBelow && (bytes < capacityBytes / 2 || records == 0);
  }

  /**
   * Whether a partition has so much delivered behind its oldest unfinished record that no more of
   * it is taken: each costs a ticket, and what a commit can't name would be handled again.
   */
  boolean isTooFarAhead(int open, int unsaved) {
    return open > aheadLimit() || unsaved > 0;
  }

  /** Whether a partition held back for that has caught up. */
  boolean hasCaughtUp(int open, int unsaved) {
    return open <= aheadLimit() / 2 && unsaved == 0;
  }

  /** Above what a healthy partition that has the channel to itself may have open. */
  private int aheadLimit() {
    return Math.max(MOST_AHEAD, 2 * capacity);
  }
}
