package dev.millrace.internal.runtime;

import dev.millrace.internal.channel.DeliveryProcessor;
import dev.millrace.internal.channel.LaneScheduler;
import dev.millrace.internal.channel.PollThreadSignal;
import dev.millrace.internal.channel.Workers;
import dev.millrace.internal.time.DelayTimer;
import dev.millrace.internal.time.EngineClock;
import java.util.concurrent.ExecutorService;
import java.util.function.Consumer;

/**
 * What moves an engine: time, threads and waiting. The real one has the system's; another one can
 * run a whole engine on one thread, step by step.
 */
public interface EngineRuntime {

  /** Returns the engine's time. */
  EngineClock clock();

  /** Returns what the poll thread waits by. */
  PollThreadSignal signal();

  /** Returns what makes parked lanes ready when they are due. */
  DelayTimer timer();

  /**
   * Returns who works on the lanes. Called once.
   *
   * @param onBug told of what the processor threw, which it never should
   */
  Workers workers(LaneScheduler scheduler, DeliveryProcessor processor, Consumer<Throwable> onBug);

  /** Returns what runs the calls of the service's listener, if it has one. Called once. */
  ExecutorService listenerCalls();

  /** Returns what looks into the retry topics, one look after the other. Called once at most. */
  ExecutorService keyLooks();

  /** Returns what runs one thing after the other, for a slice that waits for brokers. */
  ExecutorService transactionCalls(int slice);
}
