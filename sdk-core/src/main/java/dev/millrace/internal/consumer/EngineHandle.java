package dev.millrace.internal.consumer;

import dev.millrace.consumer.ConsumerExplanation;
import dev.millrace.consumer.ConsumerState;
import dev.millrace.consumer.MessageConsumer;
import dev.millrace.errors.ConsumerFailedException;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
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
  private final ConsumerEngine engine;
  private final StopRequest stop;
  private final Consumer<MessageConsumer> onEnd;
  private final CountDownLatch ended = new CountDownLatch(1);
  private final Thread pollThread;

  EngineHandle(
      String name,
      Duration closeTimeout,
      ConsumerEngine engine,
      StopRequest stop,
      Consumer<MessageConsumer> onEnd) {
    this.name = name;
    this.closeTimeout = closeTimeout;
    this.engine = engine;
    this.stop = stop;
    this.onEnd = onEnd;
    this.pollThread = new EngineThreads(name).poll(this::run);
  }

  void start() {
    pollThread.start();
  }

  private void run() {
    try {
      engine.run();
    } finally {
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
    return engine.assignedNames();
  }

  @Override
  public CompletableFuture<@Nullable Void> pause() {
    return engine.controls().pause();
  }

  @Override
  public CompletableFuture<@Nullable Void> resume() {
    return engine.controls().resume();
  }

  @Override
  public CompletableFuture<@Nullable Void> pause(Collection<TopicPartition> partitions) {
    return engine.controls().pause(partitions);
  }

  @Override
  public CompletableFuture<@Nullable Void> resume(Collection<TopicPartition> partitions) {
    return engine.controls().resume(partitions);
  }

  @Override
  public Set<TopicPartition> paused() {
    return engine.controls().paused();
  }

  @Override
  public CompletableFuture<@Nullable Void> seek(TopicPartition partition, long offset) {
    return engine.controls().seek(partition, offset);
  }

  @Override
  public CompletableFuture<@Nullable Void> seekToBeginning(Collection<TopicPartition> partitions) {
    return engine.controls().seekToBeginning(partitions);
  }

  @Override
  public CompletableFuture<@Nullable Void> seekToEnd(Collection<TopicPartition> partitions) {
    return engine.controls().seekToEnd(partitions);
  }

  @Override
  public CompletableFuture<@Nullable Void> seekToTimestamp(
      Collection<TopicPartition> partitions, Instant timestamp) {
    return engine.controls().seekToTimestamp(partitions, timestamp);
  }

  @Override
  public ConsumerExplanation explain() {
    return engine.controls().explain(this::state, pollThread);
  }

  @Override
  public boolean isHealthy() {
    return engine.isHealthy();
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
    engine.stop(timeout);
    if (engine.isOwnThread()) {
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
