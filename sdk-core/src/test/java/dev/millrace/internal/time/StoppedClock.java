package dev.millrace.internal.time;

import java.time.Instant;

/** It is always the same moment. */
public final class StoppedClock implements EngineClock {

  @Override
  public long nanos() {
    return 0;
  }

  @Override
  public Instant now() {
    return Instant.EPOCH;
  }
}
