package dev.millrace.internal.consumer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class FlowControlTest {

  @Test
  void aPollIsLetThroughOnlyWhenAllItMayReturnFits() {
    FlowControl flow = new FlowControl(1_000, 1 << 20, 250, 16);

    assertThat(flow.hasRoom(750, 0, 0)).isTrue();
    assertThat(flow.hasRoom(751, 0, 0)).isFalse();
  }

  @Test
  void whatIsAwaitedNeedsRoomInTheChannelButNoneForItsBytesNorToRest() {
    FlowControl flow = new FlowControl(1_000, 1_000, 250, 16);

    assertThat(flow.mostAwaited(750, 999)).as("only too many rest").isEqualTo(250);
    assertThat(flow.mostAwaited(750, 1_000)).isEqualTo(1);
    assertThat(flow.mostAwaited(751, 0)).isZero();
  }

  @Test
  void bytesHoldIntakeBackToo() {
    FlowControl flow = new FlowControl(1_000, 1_000, 250, 16);

    assertThat(flow.hasRoom(1, 999, 0)).isTrue();
    assertThat(flow.hasRoom(1, 1_000, 0)).isFalse();
  }

  @Test
  void anEmptyChannelAlwaysHasRoomAgainWhateverTheBounds() {
    for (int capacity = 1; capacity < 50; capacity++) {
      for (int poll = 1; poll <= capacity; poll++) {
        FlowControl flow = new FlowControl(capacity, 1, poll, 16);
        assertThat(flow.hasRoom(0, 0, 0)).isTrue();
        assertThat(flow.hasRoomAgain(0, 0, 0, 0, 0))
            .as("capacity %d, poll %d", capacity, poll)
            .isTrue();
      }
    }
  }

  @Test
  void roomAgainImpliesRoomAndTheBoundHolds() {
    Random random = new Random(3);
    for (int step = 0; step < 100_000; step++) {
      int capacity = 1 + random.nextInt(5_000);
      FlowControl flow =
          new FlowControl(
              capacity,
              1 + random.nextInt(1 << 20),
              1 + random.nextInt(capacity),
              1 + random.nextInt(500));
      int records = random.nextInt(capacity + 1);
      long bytes = records == 0 ? 0 : random.nextInt(1 << 21);
      if (flow.hasRoomAgain(records, bytes, 0, 0, 0)) {
        assertThat(flow.hasRoom(records, bytes, 0))
            .as("%s at %d, %d", flow, records, bytes)
            .isTrue();
      }
      if (flow.hasRoom(records, bytes, 0)) {
        assertThat(records + flow.maxPollRecords()).isLessThanOrEqualTo(flow.capacity());
      }
    }
  }

  /** Whatever it had before, and whatever a poll brings it. */
  @Test
  void besideOnePartitionOneMorePollAlwaysFits() {
    Random random = new Random(5);
    int polled = 0;
    for (int step = 0; step < 200_000; step++) {
      int maxPoll = 1 + random.nextInt(500);
      int capacity = 2 * maxPoll + random.nextInt(5_000);
      int permits = 1 + random.nextInt(capacity - 2 * maxPoll + 1);
      FlowControl flow = new FlowControl(capacity, 1 << 20, maxPoll, Math.min(permits, capacity));
      int own = random.nextInt(capacity + 1);
      int records = own + random.nextInt(capacity - own + 1);
      boolean held = flow.isTight(records, 0) && flow.isAboveShare(own, 0, 1 + random.nextInt(50));
      if (!held && flow.hasRoom(records, 0, 0) && permits <= capacity - 2 * maxPoll) {
        polled++;
        assertThat(flow.hasRoom(own + maxPoll, 0, 0))
            .as("%s at %d, %d", flow, own, records)
            .isTrue();
      }
    }
    assertThat(polled).isGreaterThan(10_000);
  }

  @Test
  void whoHasNothingIsNeverAboveItsShare() {
    for (int partitions = 1; partitions < 5_000; partitions += 7) {
      assertThat(new FlowControl(1_000, 1_000, 250, 16).isAboveShare(0, 0, partitions)).isFalse();
    }
  }

  @Test
  void aPartitionThatIsAloneMayKeepAllPermitsBusy() {
    FlowControl flow = new FlowControl(100, 1 << 20, 10, 90);

    assertThat(flow.isTight(90, 0)).isFalse();
    assertThat(flow.isAboveShare(90, 0, 1)).isFalse();
    assertThat(flow.isAboveShare(51, 0, 2)).isTrue();
  }

  @Test
  void largeRecordsMakeTheChannelTightToo() {
    FlowControl flow = new FlowControl(1_000, 1_000, 250, 16);

    assertThat(flow.isTight(10, 750)).isFalse();
    assertThat(flow.isTight(10, 751)).isTrue();
    assertThat(flow.isAboveShare(10, 500, 2)).isFalse();
    assertThat(flow.isAboveShare(10, 501, 2)).isTrue();
    assertThat(flow.isAboveShare(10, 751, 1)).isTrue();
  }

  /** A hold ends with its cause, and neither hold nor release is undone by the next record. */
  @Test
  void aHoldAlwaysEndsAndHasHysteresis() {
    Random random = new Random(7);
    for (int step = 0; step < 100_000; step++) {
      int capacity = 1 + random.nextInt(5_000);
      FlowControl flow =
          new FlowControl(
              capacity,
              1 + random.nextInt(1 << 20),
              1 + random.nextInt(capacity),
              1 + random.nextInt(capacity));
      int partitions = 1 + random.nextInt(200);
      int records = random.nextInt(capacity + 1);
      long bytes = records == 0 ? 0 : random.nextInt(1 << 21);
      assertThat(flow.isWellBelowShare(0, 0, partitions)).isTrue();
      assertThat(flow.isEasyAgain(0, 0, 0, 0)).isTrue();
      if (flow.isWellBelowShare(records, bytes, partitions)) {
        assertThat(flow.isAboveShare(records, bytes, partitions)).isFalse();
      }
      if (flow.isEasyAgain(records, bytes, 0, 0)) {
        assertThat(flow.isTight(records, bytes)).as("%s at %d, %d", flow, records, bytes).isFalse();
      }
    }
  }

  @Test
  void whatRestsHasABoundOfItsOwn() {
    FlowControl flow = new FlowControl(1_000, 1 << 20, 250, 16);

    assertThat(flow.hasRoom(0, 0, 50_000 - 250)).isTrue();
    assertThat(flow.isFullOfResting(50_000 - 250)).isFalse();
    assertThat(flow.hasRoom(0, 0, 50_001 - 250)).isFalse();
    assertThat(flow.hasRoomAgain(0, 0, 50_001 - 250, 0, 0)).isFalse();
    assertThat(flow.isFullOfResting(50_001 - 250)).isTrue();
    assertThat(new FlowControl(40_000, 1 << 20, 250, 16).mostResting()).isEqualTo(80_000);
  }

  /** Else a partition whose large records rest would be held and released by turns. */
  @Test
  void anEmptyChannelIsTightAsLongAsTheBytesOfWhatRestsAreMany() {
    FlowControl flow = new FlowControl(1_000, 1_000, 250, 16);

    assertThat(flow.isTight(0, 800)).isTrue();
    assertThat(flow.isEasyAgain(0, 800, 0, 0)).isFalse();
    assertThat(flow.isAboveShare(0, 800, 1)).isTrue();
    assertThat(flow.isWellBelowShare(0, 800, 1)).isFalse();
  }

  /** What hangs would never leave the room that is waited for. */
  @Test
  void theOthersAreWaitedForOnly() {
    FlowControl flow = new FlowControl(1_000, 1_000, 250, 16);

    assertThat(flow.hasRoomAgain(700, 10, 0, 0, 0)).isFalse();
    assertThat(flow.hasRoomAgain(700, 10, 0, 700, 10)).isTrue();
    assertThat(flow.hasRoomAgain(751, 10, 0, 751, 10)).as("no poll fits").isFalse();
    assertThat(flow.hasRoomAgain(10, 700, 0, 0, 0)).isFalse();
    assertThat(flow.hasRoomAgain(10, 700, 0, 5, 500)).isTrue();
    assertThat(flow.isEasyAgain(700, 10, 0, 0)).isFalse();
    assertThat(flow.isEasyAgain(700, 10, 700, 10)).isTrue();
  }

  @Test
  void aPartitionIsHeldWhileACommitCannotNameWhatIsDone() {
    FlowControl flow = new FlowControl(1_000, 1 << 20, 250, 16);

    assertThat(flow.isTooFarAhead(20_000, 0)).isFalse();
    assertThat(flow.isTooFarAhead(20_001, 0)).isTrue();
    assertThat(flow.isTooFarAhead(10, 1)).isTrue();
    assertThat(flow.hasCaughtUp(10_000, 0)).isTrue();
    assertThat(flow.hasCaughtUp(10_001, 0)).isFalse();
    assertThat(flow.hasCaughtUp(10, 1)).isFalse();
  }

  @Test
  void aPartitionThatFillsALargeChannelIsNotHeldForIt() {
    FlowControl flow = new FlowControl(40_000, 1 << 20, 250, 16);

    assertThat(flow.isTooFarAhead(40_000 + 250, 0)).isFalse();
    assertThat(flow.isTooFarAhead(80_001, 0)).isTrue();
  }
}
