package dev.millrace.internal.time;

import java.time.Instant;

/**
 * The time an engine lives in: the system's, or one that is stepped, so that hours pass in a moment
 * and every run can be repeated. Any thread.
 */
public interface EngineClock {
  EngineClock SYSTEM = new SystemClock();

  /** Returns nanoseconds since some moment; for differences only, as {@link System#nanoTime()}. */
  long nanos();

  /** Returns the wall-clock time, for people and for comparison with timestamps. */
  Instant now();
}
