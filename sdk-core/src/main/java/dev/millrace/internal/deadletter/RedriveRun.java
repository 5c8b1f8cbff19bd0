package dev.millrace.internal.deadletter;

import dev.millrace.deadletter.DeadLetter;
import dev.millrace.deadletter.Redrive;
import dev.millrace.deadletter.RedriveReport;
import dev.millrace.internal.deadletter.DeadLetterLog.Open;
import dev.millrace.internal.producer.OpenTransaction;
import dev.millrace.internal.producer.TransactionalSlot;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * One redrive, transaction by transaction. Confined to the thread that runs it.
 *
 * <p>Invariant: a dead letter is noted as redriven in the transaction that has it, and the notes
 * are read only when no earlier transaction can be committed any more. So it comes back once,
 * wherever a redrive ends.
 */
final class RedriveRun {
  private static final int MOST_IN_TRANSACTION = 500;

  /** They are in memory until it is committed, and each may be as large as brokers take. */
  private static final long ENOUGH_BYTES = 8 * 1024 * 1024;

  private static final Duration COMMIT_WITHIN = Duration.ofMinutes(1);
  private static final long SECOND_NANOS = Duration.ofSeconds(1).toNanos();

  private final Redrive what;
  private final DeadLetterLog log;
  private final TransactionalSlot slot;
  private final ConsumerGroupMetadata notesOf;
  private final WayBack wayBack;
  private final RunningRedrives running;
  private final Sorting sorting;
  private RedriveReport report;

  /**
   * @param log opened when the slot was ready
   * @param slot whose earlier transactions have ended for good
   * @param notesOf the group whose offsets say what is redriven
   * @param wayBack of its records
   * @param origins complete what is not; stay the caller's to close
   */
  RedriveRun(
      Scope scope,
      Redrive what,
      DeadLetterLog log,
      TransactionalSlot slot,
      ConsumerGroupMetadata notesOf,
      WayBack wayBack,
      Origins origins,
      RunningRedrives running) {
    this.what = what;
    this.log = log;
    this.slot = slot;
    this.notesOf = notesOf;
    this.wayBack = wayBack;
    this.running = running;
    this.sorting = new Sorting(scope, what, false, wayBack, origins);
    this.report = sorting.report();
  }

  /** Returns what is redriven and noted, also when {@link #run} has thrown. */
  RedriveReport report() {
    return report;
  }

  void run() throws InterruptedException {
    int most = Math.min(MOST_IN_TRANSACTION, Math.max(1, what.recordsPerSecond() / 10));
    long due = System.nanoTime();
    for (List<Open> batch = batch(most); !batch.isEmpty(); batch = batch(most)) {
      running.pause(due);
      due = System.nanoTime() + batch.size() * SECOND_NANOS / what.recordsPerSecond();
      redrive(batch);
      report = sorting.report();
      what.onProgress().accept(report);
    }
    if (report.redriven() == 0) {
      redrive(List.of()); // The brokers are to remember what came back before.
    }
    report = sorting.report();
  }

  private List<Open> batch(int most) {
    List<Open> batch = new ArrayList<>();
    long bytes = 0;
    while (batch.size() < most && bytes < ENOUGH_BYTES && !sorting.isFull()) {
      Optional<Open> open = log.next();
      if (open.isEmpty()) {
        return batch;
      }
      Optional<DeadLetter> whole = sorting.choose(open.get().letter());
      if (whole.isPresent()) {
        batch.add(new Open(whole.get(), open.get().ticket()));
        bytes += WayBack.bytes(whole.get());
      }
    }
    return batch;
  }

  private void redrive(List<Open> batch) {
    batch.forEach(Open::done);
    Map<TopicPartition, OffsetAndMetadata> notes = log.notes();
    if (notes.isEmpty()) {
      return;
    }
    OpenTransaction transaction = slot.begin();
    try {
      batch.forEach(
          open -> {
            var unused = transaction.send(wayBack.record(open.letter()));
          });
      transaction.sendOffsets(notes, notesOf);
    } catch (RuntimeException e) {
      RuntimeException unconfirmed = transaction.abort();
      if (unconfirmed != null) {
        e.addSuppressed(unconfirmed);
      }
      throw e;
    }
    transaction.commit(COMMIT_WITHIN);
    log.noted(notes);
  }
}
