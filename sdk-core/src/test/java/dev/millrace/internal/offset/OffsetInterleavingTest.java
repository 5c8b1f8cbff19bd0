package dev.millrace.internal.offset;

import static dev.millrace.Interleavings.check;
import static dev.millrace.Interleavings.require;
import static dev.millrace.Interleavings.together;

import dev.millrace.internal.offset.OffsetTracker.Abandoned;
import java.util.Objects;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Workers that start and end records while the poll thread commits, or gives the partition up. */
@Tag("interleavings")
class OffsetInterleavingTest {
  private static final TopicPartition PARTITION = new TopicPartition("t", 0);
  private static final int MAX_CHARS = 1_000;

  /** What a handler has done of three records, and the tracker that knows of them. */
  private static final class Records {
    final OffsetTracker tracker = new OffsetTracker(PARTITION, CompletedAhead.NONE);
    final OffsetTicket[] tickets = new OffsetTicket[3];
    final boolean[] handled = new boolean[tickets.length];
    private Abandoned takenBack = new Abandoned(0, 0, -1);

    Records() {
      for (int offset = 0; offset < tickets.length; offset++) {
        tickets[offset] = Objects.requireNonNull(tracker.issue(offset, -1));
      }
      tracker.position(new OffsetAndMetadata(tickets.length));
    }

    void handle(int offset) {
      if (tickets[offset].start()) {
        handled[offset] = true;
        tickets[offset].complete();
      }
    }

    /** Commits what can be, and checks that all it says is done has been handled. */
    void commit() {
      OffsetAndMetadata commit = tracker.committable(MAX_CHARS);
      if (commit == null) {
        return;
      }
      CompletedAhead ahead = CompletedAhead.read(PARTITION, commit).orElseThrow();
      for (int offset = 0; offset < tickets.length; offset++) {
        require(
            handled[offset] || (offset >= commit.offset() && !ahead.done().contains(offset)),
            offset + " was committed before it was handled");
      }
      tracker.committed(commit);
    }

    void takeBack() {
      takenBack = tracker.takeBack();
      requireEndedOrTakenBack();
    }

    /** Once all was taken back, and for ever after. */
    void requireEndedOrTakenBack() {
      int done = 0;
      for (OffsetTicket ticket : tickets) {
        require(!ticket.isRunning(), ticket.offset() + " still counts as running");
        require(!ticket.start(), ticket.offset() + " starts after it was taken back");
        done += ticket.isDone() ? 1 : 0;
      }
      require(
          done + takenBack.running() + takenBack.unstarted() == tickets.length,
          done + " of three have ended, of the others are " + takenBack);
    }
  }

  @Test
  void aCommitNamesOnlyWhatHasEndedAndTheLastOneAll() {
    check(
        () -> {
          Records records = new Records();
          return together(
                  () -> {
                    records.commit();
                    records.commit();
                  },
                  () -> {
                    records.handle(2);
                    records.handle(0);
                  },
                  () -> records.handle(1))
              .then(
                  () -> {
                    records.commit();
                    require(records.tracker.oldestOpen() == -1, "an end was forgotten");
                  });
        });
  }

  @Test
  void whatIsTakenBackNeitherStartsNorEndsAnyMore() {
    check(
        () -> {
          Records records = new Records();
          return together(
                  records::takeBack,
                  () -> {
                    OffsetTicket ticket = records.tickets[0];
                    if (ticket.start() && ticket.requeue() && ticket.start()) {
                      ticket.complete();
                    }
                  },
                  () -> {
                    OffsetTicket ticket = records.tickets[1];
                    if (ticket.start()) {
                      ticket.complete();
                    }
                  })
              .then(records::requireEndedOrTakenBack);
        });
  }

  /** Between the two, while the partition is drained, a run that ends well still counts. */
  @Test
  void whileAPartitionIsDrainedNothingStartsAndWhatRunsMayEnd() {
    check(
        () -> {
          Records records = new Records();
          boolean[] retired = new boolean[1];
          return together(
                  () -> {
                    int running = records.tracker.retire();
                    retired[0] = true;
                    require(running <= 1, running + " of one worker's records run");
                    records.commit();
                  },
                  () -> {
                    for (OffsetTicket ticket : records.tickets) {
                      boolean late = retired[0];
                      if (ticket.start()) {
                        require(!late, ticket.offset() + " starts in a partition that leaves");
                        records.handled[(int) ticket.offset()] = true;
                        require(ticket.complete(), ticket.offset() + " ran, and did not end");
                      }
                    }
                  })
              .then(records::commit);
        });
  }

  @Test
  void noneStartsBehindOneThatWasTakenBack() {
    check(
        () -> {
          Records records = new Records();
          return together(
              records.tracker::retire,
              () -> {
                boolean passedOne = false;
                for (OffsetTicket ticket : records.tickets) {
                  boolean starts = ticket.start();
                  require(!starts || !passedOne, ticket.offset() + " starts ahead of an older one");
                  passedOne |= !starts;
                }
              });
        });
  }
}
