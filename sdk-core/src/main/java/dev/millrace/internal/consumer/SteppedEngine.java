package dev.millrace.internal.consumer;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.consumer.ConsumerExplanation;
import dev.millrace.consumer.ConsumerState;
import dev.millrace.internal.channel.DeliveryProcessor;
import dev.millrace.internal.channel.LaneScheduler;
import dev.millrace.internal.channel.PollThreadSignal;
import dev.millrace.internal.channel.SteppedSignal;
import dev.millrace.internal.channel.SteppedWorkers;
import dev.millrace.internal.channel.Workers;
import dev.millrace.internal.delivery.DeadLetters;
import dev.millrace.internal.delivery.Handling;
import dev.millrace.internal.keys.KeyOrder;
import dev.millrace.internal.keys.RetryLogs;
import dev.millrace.internal.metrics.ConsumerMeters;
import dev.millrace.internal.runtime.EngineRuntime;
import dev.millrace.internal.runtime.OnCallersThread;
import dev.millrace.internal.time.DelayTimer;
import dev.millrace.internal.time.EngineClock;
import dev.millrace.internal.time.SteppedClock;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.Deserializer;
import org.jspecify.annotations.Nullable;

/**
 * A whole engine on the caller's thread and in the caller's time; nothing in it happens but within
 * a call, so one that is not called any more is as good as killed. One thread.
 */
public final class SteppedEngine {
  /** Handlers run one at a time on one thread, so a second worker would find nothing to do. */
  private static final int WORKERS = 1;

  private final ConsumerDefinition definition;
  private final OnOneThread runtime;
  private final StopRequest stop;
  private final ConsumerEngine engine;
  private boolean ended;

  /**
   * Makes the engine; its first turn joins the group.
   *
   * @param client answers from memory, and waits for nothing
   * @param deadLetterSender never throws; not called when the definition has neither dead letters
   *     nor retry topics
   * @param retryLogs asked where the order of keys is kept in retry topics
   * @param surroundings what goes on while the poll thread waits
   */
  public <V> SteppedEngine(
      ConsumerDefinition definition,
      int maxPollRecords,
      org.apache.kafka.clients.consumer.Consumer<byte[], byte[]> client,
      Deserializer<V> deserializer,
      Handling<V> handling,
      ServiceHooks hooks,
      Function<ProducerRecord<byte[], byte[]>, CompletableFuture<RecordMetadata>> deadLetterSender,
      RetryLogs retryLogs,
      SteppedClock clock,
      SteppedSignal.Surroundings surroundings) {
    KeyOrder.requireOffered(definition, handling);
    this.definition = definition;
    this.runtime = new OnOneThread(clock, clock.timer(), new SteppedSignal(surroundings));
    this.stop = new StopRequest(clock);
    this.engine =
        new ConsumerEngine(
            definition,
            maxPollRecords,
            client,
            deserializer,
            handling,
            !DeadLetters.areSent(definition)
                ? null
                : new DeadLetters(definition.groupId(), definition.deadLetter(), deadLetterSender),
            new ConsumerMeters(
                new CompositeMeterRegistry(), definition.name(), definition.groupId()),
            stop,
            runtime,
            hooks,
            null,
            null,
            KeyOrder.isKept(definition) ? retryLogs : null);
  }

  /** One turn of the poll loop; it is the last one when the engine has a reason to stop. */
  public void turn() {
    if (!ended && !engine.turn()) {
      end();
    }
  }

  /** Has a worker take a step; false when all of them sleep. */
  public boolean step() {
    SteppedWorkers workers = runtime.workers();
    if (!workers.canStep()) {
      return false;
    }
    workers.step(n -> 0);
    return true;
  }

  /** Ends as a service does that closes its consumer. Without effect after the end. */
  public void close() {
    if (!ended) {
      stop.request(null, definition.closeTimeout());
      end();
    }
  }

  private void end() {
    engine.end();
    ended = true;
  }

  /** Returns whether it has ended, in whichever way. */
  public boolean hasEnded() {
    return ended;
  }

  /** Returns whether it is about to end, and waits for its handlers. */
  public boolean isStopping() {
    return state() == ConsumerState.STOPPING;
  }

  /** Returns the consumer's state. */
  public ConsumerState state() {
    if (!stop.isRequested()) {
      return ConsumerState.RUNNING;
    }
    if (!ended) {
      return ConsumerState.STOPPING;
    }
    return stop.failure().isPresent() ? ConsumerState.FAILED : ConsumerState.CLOSED;
  }

  /** Returns why it has ended by itself, or is about to. */
  public Optional<Throwable> failure() {
    return stop.failure();
  }

  /** Returns why each partition stands where it stands. */
  public ConsumerExplanation explain() {
    return engine.controls().explainNow(state());
  }

  private static final class OnOneThread implements EngineRuntime {
    private final EngineClock clock;
    private final DelayTimer timer;
    private final PollThreadSignal signal;
    private @Nullable SteppedWorkers workers;

    OnOneThread(EngineClock clock, DelayTimer timer, PollThreadSignal signal) {
      this.clock = clock;
      this.timer = timer;
      this.signal = signal;
    }

    @Override
    public EngineClock clock() {
      return clock;
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
      workers = new SteppedWorkers(WORKERS, scheduler, processor);
      return workers;
    }

    /** Nothing here is exactly-once. */
    @Override
    public ExecutorService transactionCalls(int slice) {
      throw new IllegalStateException("no transactions");
    }

    @Override
    public ExecutorService keyLooks() {
      return new OnCallersThread();
    }

    @Override
    public ExecutorService listenerCalls() {
      throw new IllegalStateException("A stepped engine is made without a listener.");
    }

    SteppedWorkers workers() {
      return Objects.requireNonNull(workers, "workers");
    }
  }
}
