package dev.millrace.internal.consumer;

/**
 * Decides when the channel takes more, and of which partitions. Pure: numbers in, an answer out.
 *
 * <p>Invariants: a poll is let through only when all it may return fits, so it never brings the
 * channel above its capacity, nor what rests above its own bound, and what is held never exceeds
 * the two together, but for what others wait for: of a partition of which nothing else is held, one
 * poll more may rest. What rests takes no room in the channel; when it goes on, it takes it even if
 * there is none, and nothing is polled until there is. Bytes are those of all that is held, and
 * known only after a poll, so they may exceed their bound by one. And one partition never has so
 * much of the channel that no poll fits beside it, provided that the permits and two polls fit the
 * capacity: while the channel is tight, it is not polled beyond its share, which is at most what
 * makes a channel tight, and a poll brings it no further than to where one more still fits.
 *
 * @param capacity the most records in the channel
 * @param capacityBytes no poll while this many bytes or more are in flight
 * @param maxPollRecords the most records one poll returns
 * @param permits how many records may be handled at the same time
 */
record FlowControl(int capacity, long capacityBytes, int maxPollRecords, int permits) {
  private static final int MOST_AHEAD = 20_000;
  private static final int MOST_RESTING = 50_000;

  /**
   * Whether one more poll fits.
   *
   * @param records those in the channel
   * @param bytes those of all that is held
   * @param resting the records that rest
   */
  boolean hasRoom(int records, long bytes, int resting) {
    return records <= capacity - maxPollRecords
        && bytes < capacityBytes
        && !isFullOfResting(resting);
  }

  /**
   * How many records are let through without room, of a partition of which nothing is held, since
   * what rests may wait for them. What takes room in the channel waits for none, so they find it.
   */
  int mostAwaited(int records, long bytes) {
    if (records > capacity - maxPollRecords) {
      return 0;
    }
    return bytes < capacityBytes ? maxPollRecords : 1;
  }

  /** Whether so many records rest that a poll might bring too many more of their keys. */
  boolean isFullOfResting(int resting) {
    return resting > mostResting() - maxPollRecords;
  }

  /** The most records that rest; beside their bytes they take some 20 MB of memory, or more. */
  int mostResting() {
    return Math.max(MOST_RESTING, 2 * capacity);
  }

  /**
   * Whether a full channel has emptied far enough to poll again: half of the room that a full one
   * lacks, so that the poll thread is not woken for every record.
   *
   * @param held the records of partitions that are held back: nobody knows when they will end
   * @param heldBytes their bytes
   */
  boolean hasRoomAgain(int records, long bytes, int resting, long held, long heldBytes) {
    return hasRoom(records, bytes, resting)
        && (records <= held
            || (records <= capacity - maxPollRecords - maxPollRecords / 2
                && bytes < (capacityBytes + heldBytes) / 2));
  }

  /** Whether room is so short that who has more than its share of it is not polled. */
  boolean isTight(int records, long bytes) {
    return records > tightAbove() || bytes > tightAboveBytes();
  }

  /** Whether a tight channel has emptied far enough; see {@link #hasRoomAgain}. */
  boolean isEasyAgain(int records, long bytes, long held, long heldBytes) {
    // Without records in the channel there may still be the bytes of those that rest.
    return (records <= held && bytes <= heldBytes)
        || (records <= tightAbove() - maxPollRecords / 2
            && bytes <= Math.max(heldBytes, tightAboveBytes() / 3 * 2));
  }

  /**
   * Whether a partition has more than its share.
   *
   * @param records its records in the channel
   * @param bytes the bytes of all that is held of it
   * @param partitions how many there are
   */
  boolean isAboveShare(long records, long bytes, int partitions) {
    return records > share(partitions) || bytes > shareBytes(partitions);
  }

  /** Whether a partition held back for that has little enough again. */
  boolean isWellBelowShare(long records, long bytes, int partitions) {
    return records <= share(partitions) / 2 && bytes <= shareBytes(partitions) / 2;
  }

  private int share(int partitions) {
    return Math.min(capacity / partitions, tightAbove());
  }

  private long shareBytes(int partitions) {
    return Math.min(capacityBytes / partitions, tightAboveBytes());
  }

  /**
   * Half of the channel, or less if two polls would not fit any more; but never so little that a
   * partition which is alone leaves permits unused.
   */
  private int tightAbove() {
    int twoPollsFit = Math.min(capacity / 2, capacity - 2 * maxPollRecords);
    return Math.max(twoPollsFit, Math.min(permits, capacity - maxPollRecords));
  }

  /** More than half, since few large records may be all that the permits have. */
  private long tightAboveBytes() {
    return capacityBytes / 4 * 3;
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
