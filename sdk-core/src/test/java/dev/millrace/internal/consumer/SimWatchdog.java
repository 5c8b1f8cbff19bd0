package dev.millrace.internal.consumer;

import dev.millrace.config.HandlerWatchdogDefinition;
import dev.millrace.config.WatchdogPolicy;
import java.util.concurrent.TimeUnit;

/** Looks at handlers when the engine's watchdog has to, and knows what follows. */
final class SimWatchdog {
  private final SimProcess process;
  private final HandlerWatchdogDefinition definition;
  private long dueNanos;
  private boolean overdue;

  SimWatchdog(SimProcess process) {
    this.process = process;
    this.definition = process.definition.handlerWatchdog();
    this.dueNanos = process.world.clock.nanos();
  }

  /** At the head of a turn: once a second. */
  void look() {
    long now = process.world.clock.nanos();
    if (now < dueNanos) {
      return;
    }
    dueNanos = now + TimeUnit.SECONDS.toNanos(1);
    overdue = false;
    for (SimHandler.Running run : process.running) {
      if (now - run.beganNanos >= definition.after().toNanos()) {
        overdue = true;
        if (definition.policy() == WatchdogPolicy.DEAD_LETTER) {
          process.world.log(process, " gives up ", run.partition, "@", run.offset);
          run.givenUp = true;
        }
      }
    }
  }

  boolean isContent() {
    return definition.policy() != WatchdogPolicy.UNHEALTHY || !overdue;
  }
}
