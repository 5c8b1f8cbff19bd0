package dev.millrace.internal.delivery;

import dev.millrace.consumer.BatchRecord;
import dev.millrace.consumer.RecordContext;
import dev.millrace.internal.channel.Delivery;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** What a handler of batches sees of one record. The first outcome stands, whoever gives it. */
final class BatchedRecord<V> implements BatchRecord<V> {
  private final Delivery delivery;
  private final V value;
  private final HandlerContext context;
  private final Attempt attempt;
  private final Recovery recovery;
  private final AtomicReference<@Nullable Outcome> outcome = new AtomicReference<>();

  BatchedRecord(Delivery delivery, V value, Recovery recovery, RecordEnds ends) {
    this.delivery = delivery;
    this.value = value;
    this.context = HandlerContext.of(delivery, ends);
    this.attempt = Attempt.of(delivery);
    this.recovery = recovery;
  }

  Delivery delivery() {
    return delivery;
  }

  @Override
  public V value() {
    return value;
  }

  @Override
  public RecordContext context() {
    return context;
  }

  @Override
  public void done() {
    give(Outcome.Handled.INSTANCE);
  }

  @Override
  public void retry(Throwable cause) {
    give(afterFailure(Objects.requireNonNull(cause, "cause")));
  }

  @Override
  public void deadLetter(Throwable cause) {
    give(recovery.giveUp(Objects.requireNonNull(cause, "cause"), GaveUp.BY_HANDLER));
  }

  /** Worker. Closes the record, and returns what came of the attempt. */
  Outcome end(@Nullable Throwable failure) {
    Outcome otherwise = failure == null ? Outcome.Handled.INSTANCE : afterFailure(failure);
    Outcome given = outcome.compareAndExchange(null, otherwise);
    Throwable givenUp = delivery.givenUp();
    Outcome ended =
        givenUp != null
            ? recovery.giveUp(givenUp, GaveUp.of(delivery))
            : given == null ? otherwise : given;
    if (ended instanceof Outcome.Handled) {
      return context.handled();
    }
    return delivery.ticket().isAbandoned() ? Outcome.Abandoned.INSTANCE : ended;
  }

  private Outcome afterFailure(Throwable failure) {
    return recovery.after(attempt, failure);
  }

  private void give(Outcome given) {
    if (!outcome.compareAndSet(null, given)) {
      throw new IllegalStateException(
          "The record " + context + " has an outcome already, or its handler has ended.");
    }
  }

  /** The payload stays out of logs. */
  @Override
  public String toString() {
    return context.toString();
  }
}
