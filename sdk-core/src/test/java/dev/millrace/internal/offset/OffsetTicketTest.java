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
    OffsetTicket ticket = new OffsetTicket(7);

    assertThat(ticket.start()).isTrue();
    assertThat(ticket.start()).isFalse();
    assertThat(ticket.complete()).isTrue();
    assertThat(ticket.complete()).isFalse();
    assertThat(ticket.isDone()).isTrue();
  }

  @Test
  void aRecordThatHasNotStartedCanNotBeCompleted() {
    OffsetTicket ticket = new OffsetTicket(7);

    assertThat(ticket.complete()).isFalse();
    assertThat(ticket.isDone()).isFalse();
  }

  @Test
  void aRequeuedRecordStartsAgain() {
    OffsetTicket ticket = new OffsetTicket(7);
    ticket.start();

    assertThat(ticket.requeue()).isTrue();
    assertThat(ticket.start()).isTrue();
  }

  @Test
  void aWithdrawnRecordNeverStartsAgainAndNeverBecomesDone() {
    OffsetTicket queued = new OffsetTicket(7);
    queued.withdrawQueued();
    assertThat(queued.start()).isFalse();

    OffsetTicket running = new OffsetTicket(8);
    running.start();
    running.withdrawQueued();
    assertThat(running.isRunning()).isTrue();
    running.withdraw();
    assertThat(running.complete()).isFalse();
    assertThat(running.requeue()).isFalse();
    assertThat(running.isWithdrawn()).isTrue();
  }

  @Test
  void whatIsDoneStaysDone() {
    OffsetTicket ticket = new OffsetTicket(7);
    ticket.start();
    ticket.complete();

    ticket.withdraw();

    assertThat(ticket.isDone()).isTrue();
    assertThat(ticket.isWithdrawn()).isFalse();
  }

  /** Revocation and a worker meet on the same ticket: exactly one of them may have it. */
  @Test
  void startAndWithdrawNeverBothWin() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(2);
    try {
      CyclicBarrier together = new CyclicBarrier(2);
      for (int round = 0; round < 20_000; round++) {
        OffsetTicket ticket = new OffsetTicket(round);
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
                  ticket.withdrawQueued();
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
