package dev.millrace.internal.offset;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.internal.offset.OffsetTracker.Abandoned;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OffsetTrackerTest {
  private static final TopicPartition NAME = new TopicPartition("orders", 0);

  private final OffsetTracker tracker = new OffsetTracker(NAME, CompletedAhead.NONE);

  /** What lies beyond the gap may be another log's. */
  @Test
  void whatAnEarlierOwnerHadDoneIsNotBelievedBehindAGap() {
    OffsetRanges done = new OffsetRanges.Builder().add(55, 56).build();
    OffsetTracker continued = new OffsetTracker(NAME, new CompletedAhead(10, done, 0));
    assertThat(continued.issue(10, 0)).isNotNull();

    continued.skipTo(50);

    assertThat(continued.position()).hasValue(50);
    assertThat(continued.issue(55, 0)).isNotNull();
  }

  @Test
  void nothingDeliveredMeansNothingToCommit() {
    assertThat(committable()).isNull();
  }

  @Test
  void theFrontierWaitsForTheOldestUnfinishedRecord() {
    OffsetTicket first = issue(10);
    OffsetTicket second = issue(11);
    end(second);
    assertThat(committable()).extracting(OffsetAndMetadata::offset).isEqualTo(10L);

    end(first);

    assertThat(committable()).isEqualTo(new OffsetAndMetadata(12));
  }

  @Test
  void withNothingDoneThereIsNothingToCommit() {
    issue(10);
    issue(11);

    assertThat(committable()).isNull();
  }

  @Test
  void whatIsDoneBeyondTheFrontierIsSavedWithIt() {
    end(issue(10));
    issue(11);
    end(issue(12));
    end(issue(20));
    issue(21);
    end(issue(22));

    OffsetAndMetadata offset = committable();

    assertThat(offset.offset()).isEqualTo(11);
    assertThat(done(offset)).hasToString("[12..20, 22..22]");
  }

  @Test
  void aNewEndBeyondAStandingFrontierIsNews() {
    issue(10);
    end(issue(11));
    tracker.committed(committable());
    assertThat(committable()).isNull();

    end(issue(12));

    OffsetAndMetadata offset = committable();
    assertThat(offset.offset()).isEqualTo(10);
    assertThat(done(offset)).hasToString("[11..12]");
  }

  @Test
  void theNextOwnerDeliversOnlyWhatWasNotDone() {
    issue(10);
    end(issue(11));
    issue(12);
    end(issue(13));
    OffsetAndMetadata saved = committable();

    OffsetTracker next = new OffsetTracker(NAME, read(saved));

    assertThat(next.issue(10, -1)).isNotNull();
    assertThat(next.issue(11, -1)).isNull();
    assertThat(next.issue(12, -1)).isNotNull();
    assertThat(next.issue(13, -1)).isNull();
  }

  @Test
  void whatIsKnownToBeDoneIsSavedAgainBeforeItIsPolled() {
    issue(10);
    end(issue(11));
    issue(12);
    end(issue(13));
    OffsetTracker next = new OffsetTracker(NAME, read(committable()));

    end(next.issue(10, -1));
    next.position(new OffsetAndMetadata(11));
    OffsetAndMetadata saved = next.committable(CompletedAhead.MAX_CHARS);

    assertThat(saved.offset()).isEqualTo(11);
    assertThat(done(saved)).hasToString("[11..11, 13..13]");
  }

  @Test
  void whatTheLogNoLongerHoldsIsNotSavedAgain() {
    issue(10);
    end(issue(11));
    issue(30);
    end(issue(31));
    end(issue(32));
    CompletedAhead doneBefore = read(committable());

    for (long position : new long[] {13, 20, 32, 100}) {
      OffsetTracker next = new OffsetTracker(NAME, doneBefore);
      // All records below have been deleted, or compacted away: the poll returns none.
      next.position(new OffsetAndMetadata(position));
      OffsetAndMetadata saved = next.committable(CompletedAhead.MAX_CHARS);

      assertThat(saved.offset()).isEqualTo(position);
      for (long offset = position; offset < 40; offset++) {
        assertThat(done(saved).contains(offset)).isEqualTo(doneBefore.done().contains(offset));
      }
    }
  }

  @Test
  void recordsOfALaterEpochAreNotThoseThatWereDone() {
    assertThat(tracker.issue(10, 5)).isNotNull();
    end(tracker.issue(11, 5));
    end(tracker.issue(12, 5));
    OffsetTracker next = new OffsetTracker(NAME, read(committable()));

    assertThat(next.issue(10, 5)).isNotNull();
    assertThat(next.issue(11, 5)).isNull();
    // The log was cut after 11 by an unclean election, and has gone on.
    assertThat(next.issue(12, 7)).isNotNull();
  }

  /** By it the next owner's client notices that the log was cut below the committed offset. */
  @Test
  void aCommitTellsTheEpochOfTheLastRecordBeforeItsOffset() {
    end(tracker.issue(10, 5));
    OffsetTicket stuck = Objects.requireNonNull(tracker.issue(11, 6));
    assertThat(committable()).isEqualTo(new OffsetAndMetadata(11, Optional.of(5), ""));

    end(tracker.issue(12, 7));
    OffsetAndMetadata withText = committable();
    assertThat(withText.metadata()).isNotEmpty();
    assertThat(withText.leaderEpoch()).hasValue(5);

    end(stuck);
    assertThat(committable()).isEqualTo(new OffsetAndMetadata(13, Optional.of(7), ""));
  }

  @Test
  void untilSomethingIsFinishedACommitTellsTheEpochThatWasFound() {
    tracker.startsAt(new OffsetAndMetadata(10, Optional.of(4), ""));
    assertThat(tracker.issue(10, 5)).isNotNull();
    end(tracker.issue(11, 5));

    OffsetAndMetadata offset = committable();

    assertThat(offset.offset()).isEqualTo(10);
    assertThat(offset.metadata()).isNotEmpty();
    assertThat(offset.leaderEpoch()).hasValue(4);
  }

  @Test
  void aRecordThatWasDoneBeforeTellsItsEpochToo() {
    assertThat(tracker.issue(10, 5)).isNotNull();
    end(tracker.issue(11, 5));
    OffsetTracker next = new OffsetTracker(NAME, read(committable()));
    end(next.issue(10, 5));
    assertThat(next.issue(11, 5)).isNull();

    assertThat(next.committable(CompletedAhead.MAX_CHARS))
        .isEqualTo(new OffsetAndMetadata(12, Optional.of(5), ""));
  }

  @Test
  void doneRecordsThatNoCommitCanNameAreCounted() {
    issue(0);
    for (long offset = 1; offset < 200; offset += 2) {
      end(issue(offset * 1_000));
      issue(offset * 1_000 + 1);
    }

    OffsetAndMetadata offset = tracker.committable(100);

    assertThat(offset.metadata().length()).isLessThanOrEqualTo(100);
    int saved = read(offset).done().count();
    assertThat(saved).isBetween(1, 99);
    assertThat(tracker.unsaved()).isEqualTo(100 - saved);
  }

  @Test
  void gapsInTheOffsetsAreNoMissingRecords() {
    end(issue(10));
    end(issue(15));
    issue(40);

    assertThat(committable()).isEqualTo(new OffsetAndMetadata(16));
  }

  @Test
  void whenAllIsFinishedThePositionIsCommitted() {
    end(issue(10));
    tracker.position(new OffsetAndMetadata(14));

    assertThat(committable()).isEqualTo(new OffsetAndMetadata(14));
  }

  @Test
  void thePositionIsNotCommittedWhileARecordIsOpen() {
    end(issue(10));
    issue(11);
    tracker.position(new OffsetAndMetadata(12));

    assertThat(committable()).isEqualTo(new OffsetAndMetadata(11));
  }

  @Test
  void whatIsCommittedIsNotCommittedAgain() {
    end(issue(10));
    OffsetAndMetadata offset = committable();
    assertThat(offset).isEqualTo(new OffsetAndMetadata(11));

    tracker.committed(new OffsetAndMetadata(11));

    assertThat(committable()).isNull();
  }

  @Test
  void aCommitThatFailedIsOfferedAgain() {
    end(issue(10));

    assertThat(committable()).isEqualTo(committable());
  }

  @Test
  void aWithdrawnRecordHoldsTheFrontierForEver() {
    OffsetTicket first = issue(10);
    OffsetTicket second = issue(11);
    second.start();

    assertThat(tracker.retire()).isEqualTo(1);
    second.complete();

    assertThat(first.start()).isFalse();
    assertThat(committable()).extracting(OffsetAndMetadata::offset).isEqualTo(10L);
  }

  @Test
  void withdrawingAllTellsWhatWasLeftUndone() {
    end(issue(10));
    issue(11).start();
    issue(12).start();
    issue(13);

    assertThat(tracker.takeBack()).isEqualTo(new Abandoned(2, 1, 11));
  }

  @Test
  void aheadCountsFromTheOldestOpenRecord() {
    OffsetTicket first = issue(10);
    tracker.position(new OffsetAndMetadata(17));
    assertThat(tracker.ahead()).isEqualTo(7);

    end(first);
    assertThat(committable()).isNotNull();

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
        open.add(issue(next));
        unfinished.add(next);
        tracker.position(new OffsetAndMetadata(next + 1));
      } else {
        OffsetTicket ended = open.remove(random.nextInt(Math.min(open.size(), 64)));
        end(ended);
        unfinished.remove(ended.offset());
      }
      OffsetAndMetadata offset = committable();
      if (offset != null) {
        long oldest = unfinished.stream().mapToLong(Long::longValue).min().orElse(Long.MAX_VALUE);
        assertThat(offset.offset()).as("seed %d, step %d", seed, step).isLessThanOrEqualTo(oldest);
        assertThat(offset.offset())
            .as("seed %d, step %d", seed, step)
            .isGreaterThanOrEqualTo(committed);
        OffsetRanges done = done(offset);
        assertThat(unfinished).as("seed %d, step %d", seed, step).noneMatch(done::contains);
        committed = offset.offset();
        tracker.committed(offset);
      }
    }
    open.forEach(OffsetTrackerTest::end);
    OffsetAndMetadata last = committable();
    assertThat(last == null ? committed : last.offset()).isEqualTo(next + 1);
  }

  private static void end(OffsetTicket ticket) {
    assertThat(ticket.start()).isTrue();
    assertThat(ticket.complete()).isTrue();
  }

  private OffsetTicket issue(long offset) {
    return Objects.requireNonNull(tracker.issue(offset, -1));
  }

  private static OffsetRanges done(OffsetAndMetadata offset) {
    return read(offset).done();
  }

  private static CompletedAhead read(OffsetAndMetadata offset) {
    return CompletedAhead.read(NAME, offset).orElseThrow();
  }

  private OffsetAndMetadata committable() {
    return tracker.committable(CompletedAhead.MAX_CHARS);
  }
}
