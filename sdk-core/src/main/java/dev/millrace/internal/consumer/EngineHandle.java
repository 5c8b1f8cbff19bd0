package dev.millrace.internal.consumer;

import dev.millrace.consumer.ConsumerExplanation;
import dev.millrace.consumer.ConsumerState;
import dev.millrace.consumer.MessageConsumer;
import dev.millrace.consumer.SkipResult;
import dev.millrace.errors.ConsumerFailedException;
import dev.millrace.internal.runtime.EngineThreads;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What the service holds of its running consumer. Any thread. */
final class EngineHandle implements MessageConsumer {
  private static final Logger LOG = LoggerFactory.getLogger(EngineHandle.class);

  /** For a poll that is under way, and the client's own shortest waits. */
  private static final Duration GRACE = Duration.ofSeconds(1);

  /** As good as for ever, and still a number of nanoseconds. */
  private static final Duration LONGEST_WAIT = Duration.ofDays(365);

  private final String name;
  private final Duration closeTimeout;
  private final List<EngineInstance> instances;
  private final InstanceControls controls;
  private final StopRequest stop;
  private final Consumer<MessageConsumer> onEnd;
  private final CompletableFuture<Boolean> allStarted = new CompletableFuture<>();
  private final AtomicInteger running;
  private final CountDownLatch ended = new CountDownLatch(1);

  /**
   * @param engines by the names of their instances
   * @param stop of all of them, so that none outlives another
   */
  EngineHandle(
      String name,
      Duration closeTimeout,
      Map<String, ? extends Engine> engines,
      StopRequest stop,
      Consumer<MessageConsumer> onEnd) {
    this.name = name;
    this.closeTimeout = closeTimeout;
    this.instances = engines.entrySet().stream().map(this::instance).toList();
    this.controls = new InstanceControls(name, instances);
    this.running = new AtomicInteger(instances.size());
    this.stop = stop;
    this.onEnd = onEnd;
  }

  private EngineInstance instance(Map.Entry<String, ? extends Engine> named) {
    String its = named.getKey();
    Engine engine = named.getValue();
    return new EngineInstance(its, engine, new EngineThreads(its).poll(() -> run(engine)));
  }

  /** Starts all of them, or none: when there is no thread for one, the others touch nothing. */
  void start() {
    boolean all = false;
    try {
      instances.forEach(instance -> instance.pollThread().start());
      all = true;
    } finally {
      allStarted.complete(all);
    }
  }

  private void run(Engine engine) {
    if (!allStarted.join()) {
      return;
    }
    try {
      engine.run();
    } finally {
      if (running.decrementAndGet() == 0) {
        end();
      }
    }
  }

  /** The last one that has ended. */
  private void end() {
    stop.failure()
        .ifPresentOrElse(
            failure -> LOG.error("{}", failure.getMessage(), failure.getCause()),
            () -> LOG.info("Consumer '{}' is closed.", name));
    try {
      onEnd.accept(this);
    } catch (RuntimeException e) {
      LOG.warn("Consumer '{}' has ended, but not all of its meters could be removed.", name, e);
    } finally {
      ended.countDown();
    }
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public ConsumerState state() {
    if (!stop.isRequested()) {
      return ConsumerState.RUNNING;
    }
    if (ended.getCount() > 0) {
      return ConsumerState.STOPPING;
    }
    return stop.failure().isPresent() ? ConsumerState.FAILED : ConsumerState.CLOSED;
  }

  @Override
  public Set<TopicPartition> assignment() {
    return controls.assignment();
  }

  @Override
  public CompletableFuture<@Nullable Void> pause() {
    return controls.pause();
  }

  @Override
  public CompletableFuture<@Nullable Void> resume() {
    return controls.resume();
  }

  @Override
  public CompletableFuture<@Nullable Void> pause(Collection<TopicPartition> partitions) {
    return controls.pause(partitions);
  }

  @Override
  public CompletableFuture<@Nullable Void> resume(Collection<TopicPartition> partitions) {
    return controls.resume(partitions);
  }

  @Override
  public Set<TopicPartition> paused() {
    return controls.paused();
  }

  @Override
  public CompletableFuture<@Nullable Void> seek(TopicPartition partition, long offset) {
    return controls.seek(partition, offset);
  }

  @Override
  public CompletableFuture<@Nullable Void> seekToBeginning(Collection<TopicPartition> partitions) {
    return controls.seekToBeginning(partitions);
  }

  @Override
  public CompletableFuture<@Nullable Void> seekToEnd(Collection<TopicPartition> partitions) {
    return controls.seekToEnd(partitions);
  }

  @Override
  public CompletableFuture<@Nullable Void> seekToTimestamp(
      Collection<TopicPartition> partitions, Instant timestamp) {
    return controls.seekToTimestamp(partitions, timestamp);
  }

  @Override
  public CompletableFuture<SkipResult> skip(TopicPartition partition, long offset) {
    return controls.skip(partition, offset);
  }

  @Override
  public ConsumerExplanation explain() {
    return controls.explain(this::state);
  }

  @Override
  public boolean isHealthy() {
    return instances.stream().allMatch(instance -> instance.engine().isHealthy());
  }

  @Override
  public Optional<Throwable> failure() {
    return stop.failure();
  }

  @Override
  public void awaitClosed() throws InterruptedException {
    ended.await();
    throwFailure();
  }

  @Override
  public boolean awaitClosed(Duration wanted) throws InterruptedException {
    Duration timeout = wanted.compareTo(LONGEST_WAIT) < 0 ? wanted : LONGEST_WAIT;
    if (!ended.await(timeout.toNanos(), TimeUnit.NANOSECONDS)) {
      return false;
    }
    throwFailure();
    return true;
  }

  private void throwFailure() {
    stop.failure()
        .ifPresent(
            failure -> {
              throw new ConsumerFailedException(
                  String.valueOf(failure.getMessage()), failure.getCause());
            });
  }

  @Override
  public void close() {
    close(closeTimeout);
  }

  @Override
  public void close(Duration wanted) {
    Duration timeout = wanted.compareTo(LONGEST_WAIT) < 0 ? wanted : LONGEST_WAIT;
    stop.request(null, timeout);
    if (instances.stream().anyMatch(instance -> instance.engine().isOwnThread())) {
      return;
    }
    try {
      if (!ended.await(timeout.plus(GRACE).toNanos(), TimeUnit.NANOSECONDS)) {
        LOG.warn(
            "Consumer '{}' has not ended within {}; it goes on ending by itself.", name, timeout);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
