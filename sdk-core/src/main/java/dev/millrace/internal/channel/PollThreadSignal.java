package dev.millrace.internal.channel;

import java.util.function.BooleanSupplier;

/** Lets the poll thread wait for something that workers bring about. */
public interface PollThreadSignal {

  /**
   * Waits until the condition holds or the deadline has passed. Poll thread only; an interrupt ends
   * the wait early and stays set.
   *
   * @param condition what workers bring about before they call {@link #raise()}
   * @param worthWaking asked by workers, so safe on any thread: whether the condition may hold now;
   *     keeps each of a thousand ends from waking the poll thread for nothing
   * @param deadlineNanos in the time of {@link dev.millrace.internal.time.EngineClock#nanos()}
   * @return whether the condition holds
   */
  boolean await(BooleanSupplier condition, BooleanSupplier worthWaking, long deadlineNanos);

  /** Wakes the poll thread if it waits and it is worth it. Any thread. */
  void raise();
}
