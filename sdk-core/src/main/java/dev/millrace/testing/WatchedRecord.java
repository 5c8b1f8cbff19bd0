package dev.millrace.testing;

import dev.millrace.consumer.BatchRecord;
import dev.millrace.consumer.RecordContext;
import org.jspecify.annotations.Nullable;

/**
 * A record of a batch whose outcome is noted as well as given. The engine decides which outcome
 * stands, so it is asked first, under the entry's lock: the note can't differ from it, whichever
 * threads give outcomes while the handler ends.
 */
final class WatchedRecord<V> implements BatchRecord<V> {
  private final BatchRecord<V> record;
  private final AttemptLog.Entry entry;

  WatchedRecord(BatchRecord<V> record, AttemptLog.Entry entry) {
    this.record = record;
    this.entry = entry;
  }

  @Override
  public V value() {
    return record.value();
  }

  @Override
  public RecordContext context() {
    return record.context();
  }

  @Override
  public void done() {
    synchronized (entry) {
      record.done();
      entry.ended(null);
    }
  }

  @Override
  public void retry(Throwable cause) {
    synchronized (entry) {
      record.retry(cause);
      entry.ended(cause);
    }
  }

  @Override
  public void deadLetter(Throwable cause) {
    synchronized (entry) {
      record.deadLetter(cause);
      entry.ended(cause);
    }
  }

  /** The handler has ended: without an outcome, its end is the record's. */
  void handlerEnded(@Nullable Throwable failure) {
    synchronized (entry) {
      if (!entry.isRunning()) {
        return;
      }
      if (failure == null) {
        done();
      } else {
        retry(failure);
      }
    }
  }

  @Override
  public String toString() {
    return record.toString();
  }
}
