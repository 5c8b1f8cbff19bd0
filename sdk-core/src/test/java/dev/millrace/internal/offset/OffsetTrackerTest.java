package dev.millrace.internal.offset;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.internal.offset.OffsetTracker.Abandoned;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OffsetTrackerTest {
  private final OffsetTracker tracker = new OffsetTracker();

  @Test
  void nothingDeliveredMeansNothingToCommit() {
    assertThat(tracker.committable()).isNull();
  }

  @Test
  void theFrontierWaitsForTheOldestUnfinishedRecord() {
    OffsetTicket first = tracker.issue(10);
    OffsetTicket second = tracker.issue(11);
    end(second);
    assertThat(tracker.committable()).isNull();

    end(first);

    assertThat(tracker.committable()).isEqualTo(new OffsetAndMetadata(12));
  }

  @Test
  void gapsInTheOffsetsAreNoMissingRecords() {
    end(tracker.issue(10));
    end(tracker.issue(15));
    tracker.issue(40);

    assertThat(tracker.committable()).isEqualTo(new OffsetAndMetadata(16));
  }

  @Test
  void whenAllIsFinishedThePositionIsCommitted() {
    end(tracker.issue(10));
    tracker.position(new OffsetAndMetadata(14));

    assertThat(tracker.committable()).isEqualTo(new OffsetAndMetadata(14));
  }

  @Test
  void thePositionIsNotCommittedWhileARecordIsOpen() {
    end(tracker.issue(10));
    tracker.issue(11);
    tracker.position(new OffsetAndMetadata(12));

    assertThat(tracker.committable()).isEqualTo(new OffsetAndMetadata(11));
  }

  @Test
  void whatIsCommittedIsNotCommittedAgain() {
    end(tracker.issue(10));
    OffsetAndMetadata offset = tracker.committable();
    assertThat(offset).isEqualTo(new OffsetAndMetadata(11));

    tracker.committed(new OffsetAndMetadata(11));

    assertThat(tracker.committable()).isNull();
  }

  @Test
  void aCommitThatFailedIsOfferedAgain() {
    end(tracker.issue(10));

    assertThat(tracker.committable()).isEqualTo(tracker.committable());
  }

  @Test
  void aWithdrawnRecordHoldsTheFrontierForEver() {
    OffsetTicket first = tracker.issue(10);
    OffsetTicket second = tracker.issue(11);
    second.start();

    assertThat(tracker.retire()).isEqualTo(1);
    second.complete();

    assertThat(first.start()).isFalse();
    assertThat(tracker.committable()).isNull();
  }

  @Test
  void withdrawingAllTellsWhatWasLeftUndone() {
    end(tracker.issue(10));
    tracker.issue(11).start();
    tracker.issue(12).start();
    tracker.issue(13);

    assertThat(tracker.takeBack()).isEqualTo(new Abandoned(2, 1, 11));
  }

  @Test
  void aheadCountsFromTheOldestOpenRecord() {
    OffsetTicket first = tracker.issue(10);
    tracker.position(new OffsetAndMetadata(17));
    assertThat(tracker.ahead()).isEqualTo(7);

    end(first);
    assertThat(tracker.committable()).isNotNull();

    assertThat(tracker.ahead()).isZero();
  }

  /** Random deliveries with gaps, random ends, against the plainest statement of the invariant. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
  void theFrontierNeverPassesAnUnfinishedRecord(long seed) {
    Random random = new Random(seed);
    List<OffsetTicket> open = new ArrayList<>();
    Set<Long> unfinished = new HashSet<>();
    long next = 0;
    long committed = 0;
    for (int step = 0; step < 20_000; step++) {
      if (open.isEmpty() || random.nextInt(100) < 50) {
        next += 1 + (random.nextInt(10) == 0 ? random.nextInt(100) : 0);
        open.add(tracker.issue(next));
        unfinished.add(next);
        tracker.position(new OffsetAndMetadata(next + 1));
      } else {
        OffsetTicket ended = open.remove(random.nextInt(Math.min(open.size(), 64)));
        end(ended);
        unfinished.remove(ended.offset());
      }
      OffsetAndMetadata offset = tracker.committable();
      if (offset != null) {
        long oldest = unfinished.stream().mapToLong(Long::longValue).min().orElse(Long.MAX_VALUE);
        assertThat(offset.offset()).as("seed %d, step %d", seed, step).isLessThanOrEqualTo(oldest);
        assertThat(offset.offset()).as("seed %d, step %d", seed, step).isGreaterThan(committed);
        committed = offset.offset();
        tracker.committed(offset);
      }
    }
    open.forEach(OffsetTrackerTest::end);
    OffsetAndMetadata last = tracker.committable();
    assertThat(last == null ? committed : last.offset()).isEqualTo(next + 1);
  }

  private static void end(OffsetTicket ticket) {
    assertThat(ticket.start()).isTrue();
    assertThat(ticket.complete()).isTrue();
  }
}
