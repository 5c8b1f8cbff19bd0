package dev.millrace.internal.consumer;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.config.Ordering;
import dev.millrace.config.Subscription;
import dev.millrace.internal.channel.InFlight;
import dev.millrace.internal.channel.LaneScheduler;
import dev.millrace.internal.channel.LaneTags;
import dev.millrace.internal.channel.Permits;
import dev.millrace.internal.channel.PollThreadSignal;
import dev.millrace.internal.channel.Workers;
import dev.millrace.internal.command.CommandQueue;
import dev.millrace.internal.command.WakeablePoll;
import dev.millrace.internal.delivery.DeadLetters;
import dev.millrace.internal.delivery.Handling;
import dev.millrace.internal.delivery.Pipeline;
import dev.millrace.internal.delivery.RecordEnds;
import dev.millrace.internal.delivery.RetryRecords;
import dev.millrace.internal.delivery.RetryTopics;
import dev.millrace.internal.delivery.SendOutages;
import dev.millrace.internal.keys.KeyOrder;
import dev.millrace.internal.keys.RetryLogs;
import dev.millrace.internal.listener.IdleWatch;
import dev.millrace.internal.listener.ListenerCalls;
import dev.millrace.internal.metrics.ConsumerMeters;
import dev.millrace.internal.runtime.EngineRuntime;
import dev.millrace.internal.start.StartGate;
import dev.millrace.internal.time.DelayTimer;
import dev.millrace.internal.time.EngineClock;
import java.util.Set;
import java.util.function.Predicate;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Deserializer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One consumer's parts, joined: the poll loop's thread, the channel, the workers; and the order in
 * which they end.
 */
final class ConsumerEngine implements Engine {
  private static final Logger LOG = LoggerFactory.getLogger(ConsumerEngine.class);

  private final ConsumerDefinition definition;
  private final Consumer<byte[], byte[]> consumer;
  private final Handling<?> handling;
  private final ConsumerMeters meters;
  private final StopRequest stop;
  private final SelfStop selfStop;
  private final EngineClock clock;
  private final PollThreadSignal signal;
  private final Assignment assignment;
  private final Drain drain;
  private final LastCommit lastCommit;
  private final BoundedWait wait;
  private final ListenerCalls listener;
  private final HandlerWatchdog watchdog;
  private final DelayTimer timer;
  private final Workers workers;
  private final Ending ending;
  private final @Nullable ExactlyOnce exactlyOnce;
  private final @Nullable KeyOrder keyOrder;
  private final Commits commits;
  private final CommandQueue commands;
  private final ConsumerControls controls;
  private final Course course;
  private final PollLoop loop;
  private boolean begun;

  /**
   * @param replay what to read, without a group and without commits; null for a consumer
   * @param retryLogs asked where the order of keys is kept in retry topics; else null
   */
  <V> ConsumerEngine(
      ConsumerDefinition definition,
      int maxPollRecords,
      Consumer<byte[], byte[]> consumer,
      Deserializer<V> deserializer,
      Handling<V> handling,
      @Nullable DeadLetters deadLetters,
      ConsumerMeters meters,
      StopRequest stop,
      EngineRuntime runtime,
      ServiceHooks hooks,
      @Nullable ReplayState replay,
      @Nullable TransactionRoute route,
      @Nullable RetryLogs retryLogs) {
    this.definition = definition;
    this.consumer = consumer;
    this.handling = handling;
    this.meters = meters;
    this.stop = stop;
    this.clock = runtime.clock();
    this.signal = runtime.signal();
    this.timer = runtime.timer();
    this.selfStop = new SelfStop(definition, stop);
    stop.whenRequested(signal::raise);
    String name = definition.name();
    LaneScheduler scheduler =
        new LaneScheduler(
            definition.channelCapacity(),
            signal,
            permits(definition, handling),
            // Where a lane is a whole partition, to read on would gain nothing.
            definition.ordering() != Ordering.PARTITION);
    // A replay has no offsets to lose: who replays wants the records once more.
    Promise promise =
        replay == null ? Promise.of(definition.deliverySemantics()) : Promise.AT_LEAST_ONCE;
    this.assignment =
        new Assignment(
            meters,
            abandoned -> {
              if (!promise.redelivers()) {
                meters.dropped(abandoned.running() + abandoned.unstarted());
              }
            });
    this.watchdog =
        new HandlerWatchdog(name, definition.handlerWatchdog(), clock, assignment, LOG::warn);
    this.listener = new ListenerCalls(name, hooks.listener(), signal, runtime::listenerCalls);
    this.wait = new BoundedWait(signal, stop);
    this.drain = new Drain(name, promise, wait);
    BrokerCalls calls = new BrokerCalls(consumer);
    OffsetCommitter committer =
        new OffsetCommitter(
            name,
            promise,
            replay == null ? calls : new NoCommits(),
            meters,
            definition.commitInterval(),
            definition.commitRecords(),
            !(definition.subscription() instanceof Subscription.Partitions),
            selfStop::because,
            clock);
    Clearance clearance =
        promise.redelivers()
            ? Clearance.GIVEN
            : new CommitFirst(
                name,
                committer,
                assignment::all,
                stop,
                wait,
                clock,
                meters,
                RebalanceHandler.commitTimeout(definition.drainTimeout()));
    WakeablePoll poll = new WakeablePoll(consumer);
    SendOutages outages = new SendOutages();
    Poisoned poisoned = new Poisoned(definition, outages, meters, clock);
    this.exactlyOnce =
        route == null
            ? null
            : new ExactlyOnce(
                definition,
                route,
                consumer,
                calls,
                assignment,
                poisoned,
                meters,
                runtime,
                () -> {
                  poll.wake();
                  signal.raise();
                });
    this.commits = exactlyOnce == null ? committer : exactlyOnce.commits();
    StartGate starts = StartGate.of(definition, clock, timer, meters);
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
            exactlyOnce == null ? RecordEnds.AT_ONCE : exactlyOnce.ends(),
            outages,
            starts,
            hooks.idempotency(),
            hooks.failureClassifier(),
            selfStop::at);
    this.workers = runtime.workers(scheduler, pipeline, selfStop::because);
    this.ending = new Ending(name, stop, clock, signal, workers, assignment);
    RetryTopics retryTopics = new RetryTopics(definition);
    Predicate<TopicPartition> isRetry = partition -> retryTopics.own(partition.topic()) != null;
    boolean keepsKeys = retryLogs != null;
    IntakeGate gate =
        new IntakeGate(
            consumer, assignment, clock, partition -> keepsKeys && isRetry.test(partition));
    InFlight inFlight = scheduler.inFlight();
    FlowControl flow =
        new FlowControl(
            definition.channelCapacity(),
            definition.channelBytes(),
            maxPollRecords,
            definition.concurrency());
    LagGauge lag = new LagGauge(consumer, gate, clock);
    RetryRecords retryRecords = new RetryRecords(retryTopics, meters::headersIgnored);
    LaneTags tags = laneTags(handling, hooks);
    this.keyOrder =
        retryLogs == null
            ? null
            : new KeyOrder(
                name,
                retryTopics,
                retryRecords,
                tags,
                gate,
                clock,
                retryLogs,
                runtime.keyLooks(),
                KeyOrder.MOST_KEYS,
                selfStop::because);
    RetryDelays delays =
        new RetryDelays(retryTopics, clock, assignment, gate, flow, inFlight, keepsKeys);
    this.lastCommit = new LastCommit(clock, assignment, gate, poll, commits);
    this.commands =
        new CommandQueue(
            name,
            () -> {
              poll.wake();
              signal.raise();
            });
    Reading reading = new Reading(definition);
    Seeker seeker = new Seeker(name, consumer, assignment, isRetry, promise);
    SeekTargets seekTargets = new SeekTargets(calls);
    this.controls =
        new ConsumerControls(
            definition,
            reading,
            new UserRequests(
                name,
                commands,
                clock,
                new Explainer(
                    definition,
                    clock,
                    inFlight,
                    workers,
                    outages,
                    starts,
                    watchdog,
                    assignment,
                    new PartitionExplainer(lag::measure, gate::causes),
                    gate::allPausedByUserSince)),
            clock,
            gate,
            seeker,
            seekTargets,
            new Skipper(name, assignment, pipeline, meters));
    this.loop =
        new PollLoop(
            clock,
            commands,
            assignment,
            commits,
            new RunAhead(flow, gate, exactlyOnce != null),
            new FairShare(flow, inFlight, gate),
            lag,
            watchdog,
            flow,
            inFlight,
            signal,
            clearance,
            starts == null ? () -> false : starts::holdsIntake,
            gate,
            poll,
            pipeline::stopWaiting,
            new Intake(
                clock,
                consumer,
                assignment,
                promise,
                clearance,
                poisoned,
                new RedrivenForOthers(name, definition.groupId(), meters),
                tags,
                scheduler,
                workers,
                delays,
                retryRecords,
                keyOrder,
                meters),
            delays,
            keyOrder == null ? now -> {} : keyOrder::turn,
            new MissingOffsets(
                name,
                clock,
                definition.onMissingOffset(),
                isRetry,
                promise,
                assignment,
                new AddedPartitions(calls, Reading.pattern(definition) != null),
                seekTargets,
                seeker,
                meters),
            new IdleWatch(this.listener, definition.idleAfter(), clock));
    meters.inFlight(inFlight::records, inFlight::resting, inFlight::bytes);
    meters.oldestRunning(watchdog::oldestNanos);
    if (keyOrder != null) {
      meters.keysAhead(keyOrder::keysAhead);
    }
    RebalanceHandler rebalances =
        new RebalanceHandler(
            name,
            clock,
            new PreviousWork(
                name, calls, exactlyOnce == null ? () -> false : exactlyOnce.insisting(stop)),
            assignment,
            gate,
            keyOrder,
            drain,
            commits,
            this.listener,
            wait,
            definition.drainTimeout());
    if (replay == null) {
      reading.subscribe(consumer, rebalances);
      this.course = () -> reading.begin(rebalances);
    } else {
      this.course = new ReplayCourse(name, replay, consumer, assignment, gate);
    }
  }

  /** Where a handler leaves its worker, there may be more of them at work than workers. */
  static Permits permits(ConsumerDefinition definition, Handling<?> handling) {
    return handling.holdsWorker() ? Permits.threads() : Permits.counted(definition.concurrency());
  }

  private LaneTags laneTags(Handling<?> handling, ServiceHooks hooks) {
    return handling instanceof Handling.InBatches
        ? LaneTags.forBatches(
            definition.ordering(),
            hooks.orderingKey()::of,
            definition.keylessRecords(),
            definition.batch(),
            clock)
        : new LaneTags(definition.ordering(), hooks.orderingKey()::of, definition.keylessRecords());
  }

  @Override
  public Set<TopicPartition> assignedNames() {
    return assignment.names();
  }

  @Override
  public ConsumerControls controls() {
    return controls;
  }

  /** Any thread. */
  @Override
  public boolean isHealthy() {
    return !stop.isRequested() && watchdog.isContent();
  }

  /** Returns whether the calling thread is one that the end waits for. */
  @Override
  public boolean isOwnThread() {
    return workers.isWorker(Thread.currentThread())
        || handling.isHandlerThread()
        || listener.isListenerThread();
  }

  /** The poll thread's whole life. Returns when everything has ended. */
  @Override
  public void run() {
    while (turn()) {
      // Each turn is whole.
    }
    end();
  }

  /** Poll thread. One turn of the loop; false when there is to be no other, but {@link #end}. */
  boolean turn() {
    if (!stop.isRequested()) {
      try {
        if (!begun) {
          begun = true;
          course.begin();
        }
        if (course.isOver()) {
          stop.request(null, definition.closeTimeout());
        } else {
          loop.turn();
        }
      } catch (Throwable failure) {
        selfStop.because(failure);
      }
    }
    return !stop.isRequested();
  }

  /** Poll thread. Ends everything, within the deadline of the stop. */
  void end() {
    // At once: a handler that waits for one of them must not be waited for.
    commands.close();
    ending.step(
        "let records end", () -> commits.letEnd(assignment.all(), stop.handlersUntilNanos()));
    ending.step("drain", () -> drain.untilIdle(assignment.all(), stop.handlersUntilNanos()));
    ending.step("tell its listener", this::tellOfEnd);
    ending.stopHandlers();
    timer.close();
    ending.step("commit", () -> lastCommit.make(stop.deadlineNanos(), Ending.SHORTEST_WAIT));
    ending.step("forget its partitions", () -> assignment.remove(assignment.names()));
    ending.step("leave the group", () -> consumer.close(CloseOptions.timeout(ending.timeLeft())));
    if (exactlyOnce != null) {
      ending.step("end its transactions", () -> exactlyOnce.close(ending.timeLeft()));
    }
    if (keyOrder != null) {
      ending.step("end its looks into retry topics", () -> keyOrder.close(ending.timeLeft()));
    }
    ending.step("end its listener", () -> listener.close(ending.timeLeft()));
    ending.nameStuckHandlers();
    ending.step("remove its meters", meters::close);
  }

  private void tellOfEnd() {
    boolean unused = wait.until(listener.ends(assignment.names()), stop.deadlineNanos());
  }
}
