package dev.millrace.internal.runtime;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.config.HandlerThreads;
import dev.millrace.internal.channel.DeliveryProcessor;
import dev.millrace.internal.channel.LaneScheduler;
import dev.millrace.internal.channel.ParkingSignal;
import dev.millrace.internal.channel.PollThreadSignal;
import dev.millrace.internal.channel.WorkerPool;
import dev.millrace.internal.channel.Workers;
import dev.millrace.internal.delivery.Handling;
import dev.millrace.internal.time.DelayTimer;
import dev.millrace.internal.time.EngineClock;
import dev.millrace.internal.time.ThreadDelayTimer;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;

/** The system's time, and threads of our own. */
public final class ThreadedRuntime implements EngineRuntime {
  private final EngineThreads names;
  private final HandlerThreads kind;
  private final int mostWorkers;
  private final PollThreadSignal signal = new ParkingSignal();
  private final DelayTimer timer;

  private ThreadedRuntime(String consumer, HandlerThreads kind, int mostWorkers) {
    this.names = new EngineThreads(consumer);
    this.kind = kind;
    this.mostWorkers = mostWorkers;
    this.timer = new ThreadDelayTimer(names.timer());
  }

  /** Where handlers leave their workers, these only start them, and more than processors can't. */
  public static ThreadedRuntime of(ConsumerDefinition definition, Handling<?> handling) {
    int permits = definition.concurrency();
    return new ThreadedRuntime(
        definition.name(),
        definition.handlerThreads(),
        handling.holdsWorker()
            ? permits
            : Math.min(permits, Runtime.getRuntime().availableProcessors()));
  }

  @Override
  public EngineClock clock() {
    return EngineClock.SYSTEM;
  }

  @Override
  public PollThreadSignal signal() {
    return signal;
  }

  @Override
  public DelayTimer timer() {
    return timer;
  }

  @Override
  public Workers workers(
      LaneScheduler scheduler, DeliveryProcessor processor, Consumer<Throwable> onBug) {
    return new WorkerPool(mostWorkers, names.workers(kind), scheduler, processor, onBug);
  }

  @Override
  public ExecutorService transactionCalls(int slice) {
    return Executors.newSingleThreadExecutor(names.transactions(slice + 1));
  }

  @Override
  public ExecutorService keyLooks() {
    return Executors.newSingleThreadExecutor(names.keyLooks());
  }

  @Override
  public ExecutorService listenerCalls() {
    return Executors.newSingleThreadExecutor(names.listener());
  }
}
