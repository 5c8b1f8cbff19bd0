package dev.millrace.internal.metrics;

import io.micrometer.core.instrument.Counter;

/** What a consumer with idempotency counts besides. Any thread. */
public final class IdempotencyMeters {
  private final Counter storeFailures;
  private final Counter taken;

  IdempotencyMeters(Counter storeFailures, Counter taken) {
    this.storeFailures = storeFailures;
    this.taken = taken;
  }

  /** A call of the store has failed. */
  public void failed() {
    storeFailures.increment();
  }

  /** A message was handled under a claim that another one had taken meanwhile. */
  public void taken() {
    taken.increment();
  }
}
