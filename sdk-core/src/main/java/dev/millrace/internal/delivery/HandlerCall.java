package dev.millrace.internal.delivery;

import dev.millrace.errors.PayloadException;
import dev.millrace.internal.channel.Delivery;
import dev.millrace.internal.metrics.ConsumerMeters;
import dev.millrace.internal.offset.OffsetTicket;
import dev.millrace.internal.start.Pass;
import dev.millrace.internal.time.EngineClock;
import java.util.Objects;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One attempt at a record: decode, call the handler, and make an outcome of what came back. */
final class HandlerCall<V> {
  private final ValueDecoder<V> decoder;
  private final Handling.OneByOne<V> handling;
  private final Recovery recovery;
  private final ConsumerMeters meters;
  private final EngineClock clock;
  private final RecordEnds ends;

  HandlerCall(
      ValueDecoder<V> decoder,
      Handling.OneByOne<V> handling,
      Recovery recovery,
      ConsumerMeters meters,
      EngineClock clock,
      RecordEnds ends) {
    this.decoder = decoder;
    this.handling = handling;
    this.recovery = recovery;
    this.meters = meters;
    this.clock = clock;
    this.ends = ends;
  }

  /**
   * Worker, with the delivery's ticket claimed. Throws nothing, whatever the handler throws.
   *
   * @param pass told what comes of it; null when nobody asks
   * @param later told of the outcome, by whoever completes the handler's stage
   * @return the outcome; null when it comes later
   */
  @Nullable Outcome attempt(Delivery delivery, @Nullable Pass pass, Consumer<Outcome> later) {
    if (delivery.givenUp() != null) {
      delivery.ends();
      unused(pass);
      return failed(delivery, null);
    }
    V value;
    try {
      value = decoder.decode(delivery.record());
    } catch (PayloadException undecodable) {
      unused(pass);
      return undecoded(delivery, undecodable);
    }
    HandlerContext context = HandlerContext.of(delivery, ends);
    CompletionStage<?> stage;
    try {
      stage = begin(value, context, delivery, pass);
    } catch (Throwable failure) { // Errors too: the offset must not pass a record that failed.
      return outcome(context, delivery, pass, failure);
    }
    return stage == null
        ? outcome(context, delivery, pass, null)
        : await(stage, context, delivery, pass, later);
  }

  private static void unused(@Nullable Pass pass) {
    if (pass != null) {
      pass.unused();
    }
  }

  private @Nullable CompletionStage<?> begin(
      V value, HandlerContext context, Delivery delivery, @Nullable Pass pass) throws Exception {
    CompletionStage<?> stage = null;
    try {
      stage = handling.begin(value, context, delivery, pass, clock);
      return stage;
    } finally {
      if (stage == null) {
        delivery.ends();
      }
      // A flag that this handler left behind must not fail the next record's handler.
      Thread.interrupted();
    }
  }

  private Outcome undecoded(Delivery delivery, PayloadException failure) {
    boolean interrupted = delivery.ends();
    Thread.interrupted();
    if (interrupted) { // Nothing follows for the bytes.
      return failed(delivery, failure, recovery::tryAgain);
    }
    return recovery.afterUndecodable(Attempt.of(delivery), failure);
  }

  /** A stage that has completed by now is settled here, by the worker, like any handler's end. */
  private @Nullable Outcome await(
      CompletionStage<?> stage,
      HandlerContext context,
      Delivery delivery,
      @Nullable Pass pass,
      Consumer<Outcome> later) {
    AtomicReference<@Nullable Object> first = new AtomicReference<>();
    BiConsumer<@Nullable Object, @Nullable Throwable> onEnd =
        (result, failure) -> {
          Outcome outcome =
              isNotCalled(result)
                  ? notCalled(delivery, pass, result)
                  : outcome(context, delivery, pass, unwrapped(failure));
          if (!first.compareAndSet(null, outcome) && first.compareAndSet(this, outcome)) {
            later.accept(outcome);
          }
        };
    try {
      var unused = stage.whenComplete(onEnd);
    } catch (Throwable hostile) {
      return outcome(context, delivery, pass, hostile);
    }
    return first.compareAndSet(null, this) ? null : (Outcome) first.get();
  }

  private static boolean isNotCalled(@Nullable Object result) {
    return result == ExecutorTask.NOT_CALLED || result == ExecutorTask.PUT_OFF;
  }

  private Outcome notCalled(Delivery delivery, @Nullable Pass pass, @Nullable Object result) {
    unused(pass);
    return result == ExecutorTask.PUT_OFF ? Outcome.PutOff.INSTANCE : failed(delivery, null);
  }

  private Outcome outcome(
      HandlerContext context, Delivery delivery, @Nullable Pass pass, @Nullable Throwable failure) {
    delivery.ends();
    if (pass != null) {
      pass.ended(failure == null ? delivery.givenUp() : failure);
    }
    long nanos = clock.nanos() - delivery.startedNanos();
    if (failure == null) {
      meters.handlerReturned(nanos);
    } else {
      meters.handlerFailed(nanos);
    }
    return failure == null && delivery.givenUp() == null
        ? context.handled()
        : failed(delivery, failure);
  }

  /** What comes of an attempt that failed, or whose record was given up or taken back. */
  private Outcome failed(Delivery delivery, @Nullable Throwable failure) {
    return failed(delivery, failure, recovery::after);
  }

  private Outcome failed(
      Delivery delivery,
      @Nullable Throwable failure,
      BiFunction<Attempt, Throwable, Outcome> otherwise) {
    OffsetTicket ticket = delivery.ticket();
    if (ticket.isAbandoned() || ticket.isWithdrawn() || ticket.isSkipped()) {
      return Outcome.Abandoned.INSTANCE;
    }
    Throwable givenUp = delivery.givenUp();
    if (givenUp == null) {
      return otherwise.apply(Attempt.of(delivery), Objects.requireNonNull(failure));
    }
    if (failure != null) {
      givenUp.addSuppressed(failure);
    }
    return recovery.giveUp(givenUp, GaveUp.of(delivery));
  }

  /** A stage that depends on another one wraps what that failed with. */
  private static @Nullable Throwable unwrapped(@Nullable Throwable failure) {
    return failure instanceof CompletionException && failure.getCause() != null
        ? failure.getCause()
        : failure;
  }
}
