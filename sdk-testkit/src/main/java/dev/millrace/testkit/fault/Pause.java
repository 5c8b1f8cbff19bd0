package dev.millrace.testkit.fault;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** How a run lets time pass. */
@FunctionalInterface
interface Pause {
  Pause REAL = duration -> TimeUnit.NANOSECONDS.sleep(duration.toNanos());

  void of(Duration duration) throws InterruptedException;
}
