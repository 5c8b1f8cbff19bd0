package dev.millrace.internal.consumer;

import dev.millrace.internal.time.EngineClock;
import java.time.Instant;

/** It is always the same moment. */
final class StoppedClock implements EngineClock {
  @Override
  public long nanos() {
    return 0;
  }

  @Override
  public Instant now() {
    return Instant.EPOCH;
  }
}
