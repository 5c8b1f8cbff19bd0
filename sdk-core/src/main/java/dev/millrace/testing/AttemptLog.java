package dev.millrace.testing;

import dev.millrace.consumer.AsyncRecordHandler;
import dev.millrace.consumer.BatchHandler;
import dev.millrace.consumer.BatchRecord;
import dev.millrace.consumer.RecordContext;
import dev.millrace.consumer.RecordHandler;
import dev.millrace.internal.time.SteppedClock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * Stands between the engine and the user's handler: notes each attempt, and fails those that are to
 * fail. Stages may be completed by any thread; the engine learns of it on the driver's own, within
 * {@link #settle}. One thread.
 */
final class AttemptLog {

  /** Under its own lock: records of a batch get their outcomes on any thread. */
  static final class Entry {
    final TopicPartition partition;
    final long offset;
    final @Nullable String key;
    final int number;
    final Instant at;
    private Attempt.State state = Attempt.State.RUNNING;
    private @Nullable Throwable failure;

    Entry(RecordContext context, Instant at) {
      this.partition = new TopicPartition(context.topic(), context.partition());
      this.offset = context.offset();
      this.key = context.key();
      this.number = context.attempt();
      this.at = at;
    }

    synchronized boolean isRunning() {
      return state == Attempt.State.RUNNING;
    }

    synchronized void ended(@Nullable Throwable with) {
      state = with == null ? Attempt.State.SUCCEEDED : Attempt.State.FAILED;
      failure = with;
    }

    synchronized void aborted() {
      state = Attempt.State.ABORTED;
    }

    synchronized Attempt seen() {
      return new Attempt(partition, offset, key, number, at, state, Optional.ofNullable(failure));
    }
  }

  /** An asynchronous handler at work: its own stage, and the one that the engine has. */
  private record Work(
      Entry entry, CompletableFuture<?> stage, CompletableFuture<@Nullable Void> seen) {

    /** To be called when the stage is done, so that its dependents run here and now. */
    void settle() {
      var unused =
          stage.whenComplete(
              (result, failure) -> {
                Throwable cause =
                    failure instanceof CompletionException && failure.getCause() != null
                        ? failure.getCause()
                        : failure;
                entry.ended(cause);
                if (cause == null) {
                  seen.complete(null);
                } else {
                  seen.completeExceptionally(cause);
                }
              });
    }
  }

  private final SteppedClock clock;
  private final List<Entry> entries = new ArrayList<>();
  private final List<Work> running = new ArrayList<>();
  private int attemptsToFail;
  private @Nullable Exception failure;

  AttemptLog(SteppedClock clock) {
    this.clock = clock;
  }

  <V> RecordHandler<V> watched(RecordHandler<? super V> handler) {
    return (value, context) -> {
      Entry entry = begin(context);
      try {
        failIfWanted();
        handler.handle(value, context);
        entry.ended(null);
      } catch (Throwable thrown) {
        entry.ended(thrown);
        throw thrown;
      }
    };
  }

  <V> AsyncRecordHandler<V> watchedAsync(AsyncRecordHandler<? super V> handler) {
    return (value, context) -> {
      Entry entry = begin(context);
      try {
        failIfWanted();
        return begun(entry, handler.handle(value, context));
      } catch (Throwable thrown) {
        entry.ended(thrown);
        throw thrown;
      }
    };
  }

  /** Records that are to fail do so one by one; the handler gets the others, if there are any. */
  <V> BatchHandler<V> watchedBatch(BatchHandler<V> handler) {
    return records -> {
      List<WatchedRecord<V>> left = new ArrayList<>();
      for (BatchRecord<V> record : records) {
        WatchedRecord<V> watched = new WatchedRecord<>(record, begin(record.context()));
        try {
          failIfWanted();
          left.add(watched);
        } catch (Exception wanted) {
          watched.retry(wanted);
        }
      }
      if (left.isEmpty()) {
        return;
      }
      try {
        handler.handle(List.copyOf(left));
        left.forEach(record -> record.handlerEnded(null));
      } catch (Throwable thrown) {
        left.forEach(record -> record.handlerEnded(thrown));
        throw thrown;
      }
    };
  }

  @SuppressWarnings("NullAway") // a null is the user's mistake, and for the engine to refuse
  private CompletionStage<?> begun(Entry entry, @Nullable CompletionStage<?> stage) {
    if (stage == null) {
      entry.ended(new IllegalStateException("The handler returned null."));
      return null;
    }
    Work work = new Work(entry, stage.toCompletableFuture(), new CompletableFuture<>());
    if (work.stage().isDone()) {
      work.settle();
    } else {
      running.add(work);
    }
    return work.seen();
  }

  private Entry begin(RecordContext context) {
    Entry entry = new Entry(context, clock.now());
    entries.add(entry);
    return entry;
  }

  void failNext(int attempts, Exception with) {
    attemptsToFail = attempts;
    failure = with;
  }

  private void failIfWanted() throws Exception {
    if (attemptsToFail > 0 && failure != null) {
      attemptsToFail--;
      throw failure;
    }
  }

  /** Tells the engine of the stages that have completed; false when none has. */
  boolean settle() {
    List<Work> done = running.stream().filter(work -> work.stage().isDone()).toList();
    running.removeAll(done);
    done.forEach(Work::settle);
    return !done.isEmpty();
  }

  /** What still runs has ended with its process; no engine hears of it any more. */
  void processEnded() {
    running.forEach(work -> work.entry().aborted());
    running.clear();
  }

  List<Attempt> attempts() {
    return entries.stream().map(Entry::seen).toList();
  }
}
