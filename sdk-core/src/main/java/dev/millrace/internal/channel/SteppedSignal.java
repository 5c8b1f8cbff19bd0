package dev.millrace.internal.channel;

import java.util.function.BooleanSupplier;

/**
 * A wait that holds no thread: while the poll thread would wait, its surroundings go on, step by
 * step. As in the real one, the condition is looked at again only when somebody has raised the
 * signal. One thread.
 */
public final class SteppedSignal implements PollThreadSignal {

  /** All that goes on while the poll thread waits. */
  public interface Surroundings {

    /** Returns the time, as {@link dev.millrace.internal.time.EngineClock#nanos()}. */
    long nanos();

    /**
     * Goes on by one step; false when nothing can happen any more, which ends the wait early, as an
     * interrupt does.
     */
    boolean step(long deadlineNanos);

    /**
     * A wait has come to its deadline, and nobody had raised the signal.
     *
     * @param holds whether the condition does, nevertheless
     */
    default void timedOut(boolean holds) {}
  }

  private final Surroundings surroundings;
  private BooleanSupplier worthWaking = () -> false;
  private boolean raised;

  public SteppedSignal(Surroundings surroundings) {
    this.surroundings = surroundings;
  }

  @Override
  public boolean await(BooleanSupplier condition, BooleanSupplier worth, long deadlineNanos) {
    worthWaking = worth;
    try {
      while (!condition.getAsBoolean()) {
        raised = false;
        while (!raised) {
          if (surroundings.nanos() >= deadlineNanos) {
            boolean holds = condition.getAsBoolean();
            surroundings.timedOut(holds);
            return holds;
          }
          if (!surroundings.step(deadlineNanos)) {
            return condition.getAsBoolean();
          }
        }
      }
      return true;
    } finally {
      worthWaking = () -> false;
    }
  }

  @Override
  public void raise() {
    raised |= worthWaking.getAsBoolean();
  }
}
