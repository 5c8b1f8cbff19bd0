package dev.millrace.internal.time;

import java.time.Instant;

/** The system's own time. */
final class SystemClock implements EngineClock {

  @Override
  public long nanos() {
    return System.nanoTime();
  }

  @Override
  public Instant now() {
    return Instant.now();
  }
}
