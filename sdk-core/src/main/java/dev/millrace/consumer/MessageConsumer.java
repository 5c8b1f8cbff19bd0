package dev.millrace.consumer;

import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;

/** A running consumer. All methods may be called from any thread. */
public interface MessageConsumer extends AutoCloseable {

  /** Returns its name in the configuration. */
  String name();

  /** Returns where it is in its life. */
  ConsumerState state();

  /** Returns the partitions it owns at this moment. */
  Set<TopicPartition> assignment();

  /** Returns why it is {@link ConsumerState#FAILED}, or will be; empty otherwise. */
  Optional<Throwable> failure();

  /**
   * Waits until the consumer has ended.
   *
   * @throws InterruptedException when interrupted while waiting
   * @throws dev.millrace.errors.ConsumerFailedException when it ended by itself; the cause says why
   */
  void awaitClosed() throws InterruptedException;

  /**
   * Waits until the consumer has ended, but no longer than told.
   *
   * @param timeout the longest wait
   * @return whether it has ended
   * @throws InterruptedException when interrupted while waiting
   * @throws dev.millrace.errors.ConsumerFailedException when it ended by itself; the cause says why
   */
  boolean awaitClosed(Duration timeout) throws InterruptedException;

  /** Closes within the configured {@code close-timeout}; see {@link #close(Duration)}. */
  @Override
  void close();

  /**
   * Takes no more records, gives those that are in their handler until the timeout to end, commits
   * what is finished and leaves the group. Records that had not started are not started: they stay
   * uncommitted, and the group's next owner reads them. Handlers still running at the timeout are
   * interrupted and named in the log; their records stay uncommitted too. Returns within the
   * timeout and about a second, whatever handlers do. Closing again is harmless. Called by a
   * handler, it only asks for the close and returns at once.
   *
   * @param timeout the longest wait for running handlers, the commit and the leave together
   */
  void close(Duration timeout);
}
