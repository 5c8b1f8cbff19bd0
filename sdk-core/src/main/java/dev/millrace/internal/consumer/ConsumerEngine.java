package dev.millrace.internal.consumer;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.consumer.RecordHandler;
import dev.millrace.errors.ConsumerFailedException;
import dev.millrace.internal.channel.InFlight;
import dev.millrace.internal.channel.LaneScheduler;
import dev.millrace.internal.channel.LaneTags;
import dev.millrace.internal.channel.PollThreadSignal;
import dev.millrace.internal.channel.WorkerPool;
import dev.millrace.internal.delivery.DeadLetters;
import dev.millrace.internal.delivery.DelayTimer;
import dev.millrace.internal.delivery.DeliveryPipeline;
import dev.millrace.internal.metrics.ConsumerMeters;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Deserializer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One consumer's parts, joined: the poll loop's thread, the channel, the workers; and the order in
 * which they end.
 */
final class ConsumerEngine {
  private static final Logger LOG = LoggerFactory.getLogger(ConsumerEngine.class);
  private static final Duration SHORTEST_WAIT = Duration.ofMillis(200);

  private final ConsumerDefinition definition;
  private final Consumer<byte[], byte[]> consumer;
  private final ConsumerMeters meters;
  private final StopRequest stop;
  private final PollThreadSignal signal = new PollThreadSignal();
  private final Assignment assignment;
  private final Drain drain;
  private final OffsetCommitter committer;
  private final DelayTimer timer;
  private final WorkerPool workers;
  private final CommandQueue commands;
  private final ConsumerControls controls;
  private final PollLoop loop;

  <V> ConsumerEngine(
      ConsumerDefinition definition,
      int maxPollRecords,
      Consumer<byte[], byte[]> consumer,
      Deserializer<V> deserializer,
      RecordHandler<? super V> handler,
      @Nullable DeadLetters deadLetters,
      ConsumerMeters meters,
      StopRequest stop) {
    this.definition = definition;
    this.consumer = consumer;
    this.meters = meters;
    this.stop = stop;
    String name = definition.name();
    EngineThreads threads = new EngineThreads(name);
    LaneScheduler scheduler = new LaneScheduler(definition.channelCapacity(), signal);
    this.assignment = new Assignment(meters);
    this.drain = new Drain(name, signal, stop);
    BrokerCalls calls = new BrokerCalls(consumer);
    this.committer =
        new OffsetCommitter(name, calls, meters, definition.commitInterval(), System.nanoTime());
    this.timer = new DelayTimer(threads.timer());
    DeliveryPipeline pipeline =
        new DeliveryPipeline(
            definition,
            deserializer,
            handler,
            scheduler,
            timer,
            deadLetters,
            meters,
            this::stopAtRecord);
    this.workers =
        new WorkerPool(
            definition.concurrency(),
            threads.workers(definition.handlerThreads()),
            scheduler,
            pipeline,
            this::stopBecause);
    IntakeGate gate = new IntakeGate(consumer, assignment);
    InFlight inFlight = scheduler.inFlight();
    FlowControl flow =
        new FlowControl(definition.channelCapacity(), definition.channelBytes(), maxPollRecords);
    LagGauge lag = new LagGauge(consumer, gate);
    WakeablePoll poll = new WakeablePoll(consumer);
    this.commands =
        new CommandQueue(
            name,
            () -> {
              poll.wake();
              signal.raise();
            });
    this.controls =
        new ConsumerControls(
            definition,
            commands,
            gate,
            new Seeker(name, consumer, assignment),
            new SeekTargets(calls),
            new Explainer(
                definition,
                inFlight,
                workers,
                pipeline.deadLetterOutage(),
                assignment,
                new PartitionExplainer(lag, gate)));
    this.loop =
        new PollLoop(
            commands,
            assignment,
            committer,
            new RunAhead(flow, gate),
            lag,
            flow,
            inFlight,
            signal,
            gate,
            poll,
            new Intake(
                consumer,
                assignment,
                new LaneTags(definition.ordering()),
                scheduler,
                workers,
                meters));
    meters.inFlight(inFlight::records, inFlight::bytes);
    consumer.subscribe(
        definition.topics(),
        new RebalanceHandler(
            name,
            new PreviousWork(name, calls),
            assignment,
            gate,
            drain,
            committer,
            definition.drainTimeout()));
  }

  Set<TopicPartition> assignedNames() {
    return assignment.names();
  }

  ConsumerControls controls() {
    return controls;
  }

  boolean isWorkerThread() {
    return workers.isWorkerThread();
  }

  /** Asks the poll thread to end, wherever it waits. Any thread. */
  void stop(Duration timeout) {
    stop.request(null, timeout);
    signal.raise();
  }

  /** The poll thread's whole life. Returns when everything has ended. */
  void run() {
    try {
      while (!stop.isRequested()) {
        loop.turn();
      }
    } catch (Throwable failure) {
      stopBecause(failure);
    }
    end();
  }

  private void end() {
    // At once: a handler that waits for one of them must not be waited for.
    commands.close();
    step("drain", () -> drain.untilIdle(assignment.all(), stop.handlersUntilNanos()));
    workers.stop();
    // Not only those of the partitions owned now: a handler may hang since an earlier rebalance.
    if (!workers.awaitEnd(until(stop.handlersUntilNanos())).isEmpty()) {
      workers.interrupt();
    }
    timer.close();
    step("commit", () -> committer.commitNow(assignment.all(), timeLeft()));
    step("forget its partitions", () -> assignment.remove(assignment.names()));
    step("leave the group", () -> consumer.close(CloseOptions.timeout(timeLeft())));
    List<Thread> stuck = workers.awaitEnd(timeLeft());
    if (!stuck.isEmpty()) {
      LOG.warn(
          "Consumer '{}' has ended, but {} of its handlers ignore the interrupt; their threads: {}",
          definition.name(),
          stuck.size(),
          stuck.stream().map(Thread::getName).toList());
    }
    step("remove its meters", meters::close);
  }

  /** One step that fails must not keep the next from being taken. */
  private void step(String what, Runnable step) {
    try {
      step.run();
    } catch (RuntimeException e) {
      LOG.warn("Consumer '{}' ends, but could not {}.", definition.name(), what, e);
    }
  }

  private Duration timeLeft() {
    Duration left = until(stop.deadlineNanos());
    return left.compareTo(SHORTEST_WAIT) > 0 ? left : SHORTEST_WAIT;
  }

  private static Duration until(long nanos) {
    return Duration.ofNanos(Math.max(0, nanos - System.nanoTime()));
  }

  /** Worker, or the producer's I/O thread. */
  private void stopAtRecord(ConsumerRecord<byte[], byte[]> record, Throwable cause) {
    String why =
        definition.deadLetter() == null
            ? "whose attempts are used up (%s). The offset stays before it; configure 'dead-letter' to go on without such records."
            : "which can be neither handled nor written to its dead-letter topic (%s). The offset stays before it.";
    stop(
        new ConsumerFailedException(
            "Consumer '%s' stopped at %s-%d@%d, "
                    .formatted(
                        definition.name(), record.topic(), record.partition(), record.offset())
                + why.formatted(cause),
            cause));
  }

  /** Poll thread or worker. */
  private void stopBecause(Throwable failure) {
    stop(
        new ConsumerFailedException(
            "Consumer '%s' stopped because of %s".formatted(definition.name(), failure), failure));
  }

  private void stop(ConsumerFailedException failure) {
    stop.request(failure, definition.closeTimeout());
    signal.raise();
  }
}
