package dev.millrace.internal.consumer;

import dev.millrace.internal.channel.PollThreadSignal;
import java.util.function.BooleanSupplier;

/** How the poll thread waits for others: never longer than told, nor than a requested stop lets. */
final class BoundedWait {
  private final PollThreadSignal signal;
  private final StopRequest stop;

  BoundedWait(PollThreadSignal signal, StopRequest stop) {
    this.signal = signal;
    this.stop = stop;
  }

  /**
   * Poll thread. Waits until the condition holds, or the deadline has passed, a requested stop's if
   * that is earlier.
   *
   * @param condition what others bring about before they raise the signal
   * @return whether it holds
   */
  boolean until(BooleanSupplier condition, long deadlineNanos) {
    signal.await(() -> condition.getAsBoolean() || stop.isRequested(), () -> true, deadlineNanos);
    if (!stop.isRequested()) {
      return condition.getAsBoolean();
    }
    long stopNanos = stop.handlersUntilNanos();
    return signal.await(
        condition, () -> true, stopNanos - deadlineNanos < 0 ? stopNanos : deadlineNanos);
  }
}
