package dev.millrace.internal.channel;

import org.jspecify.annotations.Nullable;

/**
 * Finds the lane of a tag. Confined to the poll thread.
 *
 * <p>Two tags never share a lane while both have records in flight, and a tag never has two lanes.
 * A lane keeps its tag until it is idle and another tag needs one; so the number of lanes follows
 * the records in flight, not the keys ever seen, and in the steady state nothing is allocated.
 */
final class LaneTable {
  private static final int MAX_BUCKETS = 1 << 20;

  private final @Nullable Lane[] buckets;
  private final InFlight inFlight;

  /**
   * @param capacity the most records in flight
   * @param inFlight what the lanes' deliveries count in
   */
  LaneTable(int capacity, InFlight inFlight) {
    this.inFlight = inFlight;
    int wanted = Math.min(MAX_BUCKETS, Math.max(16, 2 * capacity));
    this.buckets = new Lane[Integer.highestOneBit(wanted - 1) << 1];
  }

  Lane laneOf(long tag) {
    int bucket = (int) tag & (buckets.length - 1);
    Lane idle = null;
    // The whole chain is searched before an idle lane is taken over: the tag may sit behind it.
    for (Lane lane = buckets[bucket]; lane != null; lane = lane.nextInBucket) {
      if (lane.tag == tag) {
        return lane;
      }
      if (idle == null && lane.isIdle()) {
        idle = lane;
      }
    }
    if (idle != null) {
      idle.tag = tag;
      return idle;
    }
    Lane created = new Lane(tag, inFlight);
    created.nextInBucket = buckets[bucket];
    buckets[bucket] = created;
    return created;
  }
}
