package dev.millrace.internal.start;

import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * The leave to call a handler once, with one record or a batch. It is answered by whoever knows
 * what came of it; only the first answer counts.
 */
public final class Pass {
  private final StartGate gate;
  private final Circuit.@Nullable Phase phase;
  private final int records;
  private final AtomicBoolean answered = new AtomicBoolean();

  /**
   * @param phase of the circuit; null when there is none
   */
  Pass(StartGate gate, Circuit.@Nullable Phase phase, int records) {
    this.gate = gate;
    this.phase = phase;
    this.records = records;
  }

  /**
   * The handler was called, and has ended. Any thread.
   *
   * @param failure null when it has succeeded
   */
  public void ended(@Nullable Throwable failure) {
    if (answered.compareAndSet(false, true) && phase != null) {
      gate.ended(phase, failure);
    }
  }

  /** Returns whether a handler that was let in, and has not begun, may begin. Any thread. */
  public boolean stillHolds() {
    return phase == null || gate.stillHolds(phase);
  }

  /** The handler was not called. Any thread. */
  public void unused() {
    if (answered.compareAndSet(false, true)) {
      gate.unused(phase, records);
    }
  }
}
