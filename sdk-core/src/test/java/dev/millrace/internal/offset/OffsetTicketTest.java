package dev.millrace.internal.offset;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

class OffsetTicketTest {

  @Test
  void aRecordIsStartedOnceAndCompletedOnce() {
    OffsetTicket ticket = new OffsetTicket(7, -1);

    assertThat(ticket.start()).isTrue();
    assertThat(ticket.start()).isFalse();
    assertThat(ticket.complete()).isTrue();
    assertThat(ticket.complete()).isFalse();
    assertThat(ticket.isDone()).isTrue();
  }

  @Test
  void aRecordThatHasNotStartedCanNotBeCompleted() {
    OffsetTicket ticket = new OffsetTicket(7, -1);

    assertThat(ticket.complete()).isFalse();
    assertThat(ticket.isDone()).isFalse();
  }

  @Test
  void aRequeuedRecordStartsAgain() {
    OffsetTicket ticket = new OffsetTicket(7, -1);
    ticket.start();

    assertThat(ticket.requeue()).isTrue();
    assertThat(ticket.start()).isTrue();
  }

  @Test
  void aRecordTakenBackBeforeItStartedNeverStarts() {
    OffsetTicket ticket = new OffsetTicket(7, -1);
    int[] told = {0};
    ticket.heldBy(() -> told[0]++);

    ticket.retire();
    ticket.abandon();

    assertThat(ticket.start()).isFalse();
    assertThat(ticket.isWithdrawn()).isTrue();
    assertThat(told[0]).isEqualTo(1);
  }

  @Test
  void aRunUnderWayWhenItsPartitionLeavesIsTheLastButMayEndWell() {
    OffsetTicket ends = new OffsetTicket(8, -1);
    ends.start();
    ends.retire();
    assertThat(ends.isRunning()).isTrue();
    assertThat(ends.complete()).isTrue();
    assertThat(ends.isDone()).isTrue();

    OffsetTicket fails = new OffsetTicket(9, -1);
    fails.start();
    fails.retire();
    assertThat(fails.requeue()).isFalse();
    assertThat(fails.isRunning()).isFalse();
    assertThat(fails.start()).isFalse();
    assertThat(fails.complete()).isFalse();
  }

  @Test
  void aRecordTakenBackWhileItRanNeverBecomesDone() {
    OffsetTicket ticket = new OffsetTicket(8, -1);
    ticket.start();

    ticket.retire();
    ticket.abandon();

    assertThat(ticket.isAbandoned()).isTrue();
    assertThat(ticket.complete()).isFalse();
    assertThat(ticket.requeue()).isFalse();
    assertThat(ticket.start()).isFalse();
  }

  @Test
  void whatIsDoneStaysDone() {
    OffsetTicket ticket = new OffsetTicket(7, -1);
    ticket.start();
    ticket.complete();

    ticket.retire();
    ticket.abandon();

    assertThat(ticket.isDone()).isTrue();
  }

  /** Revocation and a worker meet on the same ticket: exactly one of them may have it. */
  @Test
  void startAndWithdrawNeverBothWin() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(2);
    try {
      CyclicBarrier together = new CyclicBarrier(2);
      for (int round = 0; round < 20_000; round++) {
        OffsetTicket ticket = new OffsetTicket(round, -1);
        Future<Boolean> started =
            threads.submit(
                () -> {
                  together.await();
                  return ticket.start();
                });
        Future<?> withdrawn =
            threads.submit(
                () -> {
                  together.await();
                  ticket.retire();
                  return null;
                });
        withdrawn.get();
        assertThat(started.get()).isNotEqualTo(ticket.isWithdrawn());
      }
    } finally {
      threads.shutdownNow();
    }
  }
}
