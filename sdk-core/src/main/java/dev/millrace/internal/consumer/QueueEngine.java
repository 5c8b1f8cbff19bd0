package dev.millrace.internal.consumer;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.internal.channel.InFlight;
import dev.millrace.internal.channel.LaneScheduler;
import dev.millrace.internal.channel.LaneTags;
import dev.millrace.internal.channel.PollThreadSignal;
import dev.millrace.internal.channel.Workers;
import dev.millrace.internal.command.CommandQueue;
import dev.millrace.internal.delivery.DeadLetters;
import dev.millrace.internal.delivery.Handling;
import dev.millrace.internal.delivery.Pipeline;
import dev.millrace.internal.delivery.RecordEnds;
import dev.millrace.internal.delivery.SendOutages;
import dev.millrace.internal.metrics.ConsumerMeters;
import dev.millrace.internal.runtime.EngineRuntime;
import dev.millrace.internal.start.StartGate;
import dev.millrace.internal.time.DelayTimer;
import dev.millrace.internal.time.EngineClock;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Deserializer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The parts of a queue's consumer, joined: those of a {@link ConsumerEngine} from the channel down,
 * with locks of records in the place of partitions and commits; and the order in which they end.
 */
final class QueueEngine implements Engine {
  private static final Logger LOG = LoggerFactory.getLogger(QueueEngine.class);

  private final String name;
  private final QueueClient client;
  private final Handling<?> handling;
  private final ConsumerMeters meters;
  private final StopRequest stop;
  private final SelfStop selfStop;
  private final EngineClock clock;
  private final PollThreadSignal signal;
  private final Assignment assignment = Assignment.withoutGauges();
  private final Drain drain;
  private final HandlerWatchdog watchdog;
  private final DelayTimer timer;
  private final Workers workers;
  private final Ending ending;
  private final CommandQueue commands;
  private final RecordLocks locks;
  private final QueueLoop loop;
  private final QueueControls controls;

  /**
   * @param maxPollInterval the client's
   * @param hooks of which a queue has no listener and no ordering key
   */
  <V> QueueEngine(
      ConsumerDefinition definition,
      Duration maxPollInterval,
      QueueClient client,
      Deserializer<V> deserializer,
      Handling<V> handling,
      @Nullable DeadLetters deadLetters,
      ConsumerMeters meters,
      StopRequest stop,
      EngineRuntime runtime,
      ServiceHooks hooks) {
    this.name = definition.name();
    this.client = client;
    this.handling = handling;
    this.meters = meters;
    this.stop = stop;
    this.clock = runtime.clock();
    this.signal = runtime.signal();
    this.timer = runtime.timer();
    stop.whenRequested(signal::raise);
    this.selfStop = new SelfStop(definition, stop);
    LaneScheduler scheduler =
        new LaneScheduler(
            definition.channelCapacity(),
            signal,
            ConsumerEngine.permits(definition, handling),
            false);
    InFlight inFlight = scheduler.inFlight();
    this.watchdog =
        new HandlerWatchdog(name, definition.handlerWatchdog(), clock, assignment, LOG::warn);
    this.drain = new Drain(name, Promise.AT_LEAST_ONCE, new BoundedWait(signal, stop));
    StartGate starts = StartGate.of(definition, clock, timer, meters);
    SendOutages outages = new SendOutages();
    Pipeline pipeline =
        Pipeline.of(
            definition,
            deserializer,
            handling,
            scheduler,
            clock,
            timer,
            deadLetters,
            meters,
            RecordEnds.AT_ONCE,
            outages,
            starts,
            hooks.idempotency(),
            hooks.failureClassifier(),
            selfStop::at);
    this.workers = runtime.workers(scheduler, pipeline, selfStop::because);
    this.ending = new Ending(name, stop, clock, signal, workers, assignment);
    this.commands = new CommandQueue(name, signal::raise);
    this.locks =
        new RecordLocks(name, client, clock, maxPollInterval, meters.locksLost(), this::takeBack);
    LaneTags tags =
        handling instanceof Handling.InBatches
            ? LaneTags.forBatches(
                definition.ordering(),
                ConsumerRecord::key,
                definition.keylessRecords(),
                definition.batch(),
                clock)
            : new LaneTags(definition.ordering(), ConsumerRecord::key, definition.keylessRecords());
    this.loop =
        new QueueLoop(
            clock,
            commands,
            stop,
            assignment,
            watchdog,
            inFlight,
            signal,
            client,
            locks,
            new QueueIntake(
                clock,
                assignment,
                new RedrivenForOthers(name, definition.groupId(), meters),
                tags,
                scheduler,
                workers,
                locks),
            pipeline::stopWaiting,
            definition.commitInterval());
    Explainer explainer =
        new Explainer(
            definition,
            clock,
            inFlight,
            workers,
            outages,
            starts,
            watchdog,
            assignment,
            new PartitionExplainer(partition -> OptionalLong.empty(), partition -> loop.pauses()),
            loop::pausedSince);
    this.controls =
        new QueueControls(
            name, new UserRequests(name, commands, clock, explainer), clock, assignment, loop);
    meters.inFlight(inFlight::records, inFlight::resting, inFlight::bytes);
    meters.oldestRunning(watchdog::oldestNanos);
  }

  /** The locks of what was polled of a partition are lost. */
  private void takeBack(TopicPartition partition) {
    drain.takeBack(assignment.owned(List.of(partition)));
    assignment.remove(List.of(partition));
  }

  /** Returns the partitions of which records are held. */
  @Override
  public Set<TopicPartition> assignedNames() {
    return assignment.names();
  }

  @Override
  public Controls controls() {
    return controls;
  }

  @Override
  public boolean isHealthy() {
    return !stop.isRequested() && watchdog.isContent();
  }

  @Override
  public boolean isOwnThread() {
    return workers.isWorker(Thread.currentThread()) || handling.isHandlerThread();
  }

  @Override
  public void run() {
    while (!stop.isRequested()) {
      try {
        loop.turn();
      } catch (Throwable failure) {
        selfStop.because(failure);
      }
    }
    end();
  }

  /** Ends everything, within the deadline of the stop. */
  private void end() {
    commands.close();
    ending.step("drain", this::drain);
    ending.stopHandlers();
    timer.close();
    ending.step("forget its partitions", () -> assignment.remove(assignment.names()));
    ending.step("leave the group", () -> client.close(ending.timeLeft()));
    ending.nameStuckHandlers();
    ending.step("remove its meters", meters::close);
  }

  /**
   * Gives back at once what has not started, so that others can have it, and waits for the rest
   * with its locks held.
   */
  private void drain() {
    boolean idle = Drain.isIdle(assignment.all());
    loop.settle();
    while (!idle && !locks.isEmpty() && clock.nanos() - stop.handlersUntilNanos() < 0) {
      loop.hold(() -> false);
      idle = Drain.isIdle(assignment.all());
    }
    drain.takeBack(assignment.all());
    while (locks.isRenewing() && clock.nanos() - stop.deadlineNanos() < 0) {
      loop.hold(() -> false);
    }
    locks.settle();
  }
}
