package dev.millrace.internal.channel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class LaneTableTest {

  @Test
  void busyTagsNeverShareALaneAndATagNeverHasTwo() {
    LaneTable table = new LaneTable(64, new InFlight(true, () -> {}));
    Map<Long, ArrayDeque<Lane>> busy = new HashMap<>();
    Random random = new Random(42);
    for (int step = 0; step < 200_000; step++) {
      // 512 tags that collide in few buckets, of which up to 64 records are in flight.
      long tag = random.nextInt(512) * 64L;
      Lane lane = table.laneOf(tag);
      assertThat(lane.tag).isEqualTo(tag);
      ArrayDeque<Lane> held = busy.get(tag);
      if (held != null) {
        assertThat(lane).as("step %d", step).isSameAs(held.peek());
      } else {
        assertThat(lane.isIdle()).as("step %d", step).isTrue();
      }
      lane.offer(Deliveries.delivery(step));
      busy.computeIfAbsent(tag, absent -> new ArrayDeque<>()).add(lane);
      if (step % 64 >= 32) {
        busy.values().forEach(lanes -> lanes.forEach(Lane::advance));
        busy.clear();
      }
    }
  }

  @Test
  void aMillionKeysSeenOverTimeNeedNoMoreLanesThanWereBusyAtOnce() {
    LaneTable table = new LaneTable(100, new InFlight(true, () -> {}));
    Set<Lane> lanes = Collections.newSetFromMap(new IdentityHashMap<>());
    Random random = new Random(7);
    for (int key = 0; key < 1_000_000; key++) {
      Lane lane = table.laneOf(random.nextLong());
      lane.offer(Deliveries.delivery(key));
      lane.advance();
      lanes.add(lane);
    }
    assertThat(lanes).hasSizeLessThanOrEqualTo(256);
  }
}
