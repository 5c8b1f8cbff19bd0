package dev.millrace.internal.consumer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class FlowControlTest {

  @Test
  void aPollIsLetThroughOnlyWhenAllItMayReturnFits() {
    FlowControl flow = new FlowControl(1_000, 1 << 20, 250);

    assertThat(flow.hasRoom(750, 0)).isTrue();
    assertThat(flow.hasRoom(751, 0)).isFalse();
  }

  @Test
  void bytesHoldIntakeBackToo() {
    FlowControl flow = new FlowControl(1_000, 1_000, 250);

    assertThat(flow.hasRoom(1, 999)).isTrue();
    assertThat(flow.hasRoom(1, 1_000)).isFalse();
  }

  @Test
  void anEmptyChannelAlwaysHasRoomAgainWhateverTheBounds() {
    for (int capacity = 1; capacity < 50; capacity++) {
      for (int poll = 1; poll <= capacity; poll++) {
        FlowControl flow = new FlowControl(capacity, 1, poll);
        assertThat(flow.hasRoom(0, 0)).isTrue();
        assertThat(flow.hasRoomAgain(0, 0)).as("capacity %d, poll %d", capacity, poll).isTrue();
      }
    }
  }

  @Test
  void roomAgainImpliesRoomAndTheBoundHolds() {
    Random random = new Random(3);
    for (int step = 0; step < 100_000; step++) {
      int capacity = 1 + random.nextInt(5_000);
      FlowControl flow =
          new FlowControl(capacity, 1 + random.nextInt(1 << 20), 1 + random.nextInt(capacity));
      int records = random.nextInt(capacity + 1);
      long bytes = records == 0 ? 0 : random.nextInt(1 << 21);
      if (flow.hasRoomAgain(records, bytes)) {
        assertThat(flow.hasRoom(records, bytes)).as("%s at %d, %d", flow, records, bytes).isTrue();
      }
      if (flow.hasRoom(records, bytes)) {
        assertThat(records + flow.maxPollRecords()).isLessThanOrEqualTo(flow.capacity());
      }
    }
  }

  @Test
  void aPartitionIsHeldWhileACommitCannotNameWhatIsDone() {
    FlowControl flow = new FlowControl(1_000, 1 << 20, 250);

    assertThat(flow.isTooFarAhead(20_000, 0)).isFalse();
    assertThat(flow.isTooFarAhead(20_001, 0)).isTrue();
    assertThat(flow.isTooFarAhead(10, 1)).isTrue();
    assertThat(flow.hasCaughtUp(10_000, 0)).isTrue();
    assertThat(flow.hasCaughtUp(10_001, 0)).isFalse();
    assertThat(flow.hasCaughtUp(10, 1)).isFalse();
  }

  @Test
  void aPartitionThatFillsALargeChannelIsNotHeldForIt() {
    FlowControl flow = new FlowControl(40_000, 1 << 20, 250);

    assertThat(flow.isTooFarAhead(40_000 + 250, 0)).isFalse();
    assertThat(flow.isTooFarAhead(80_001, 0)).isTrue();
  }
}
