package dev.millrace.consumer;

import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * A running consumer. All methods may be called from any thread.
 *
 * <p>Those that pause, resume and seek only ask its own thread, which is at it within milliseconds,
 * or after a rebalance that is under way. Their futures complete when it is done, on a thread of
 * {@link java.util.concurrent.ForkJoinPool#commonPool()}, and with a {@link
 * dev.millrace.errors.ConsumerClosedException} when the consumer ends before that. A handler may
 * call them all, but should not wait for the futures: while its partition leaves, the consumer
 * waits for the handler.
 */
public interface MessageConsumer extends AutoCloseable {

  /** Returns its name in the configuration. */
  String name();

  /** Returns where it is in its life. */
  ConsumerState state();

  /** Returns the partitions it owns at this moment. */
  Set<TopicPartition> assignment();

  /**
   * Takes no more records of any partition, present or future, until {@link #resume()}. What has
   * been taken is still handled and committed, and the consumer stays in its group. Rebalances and
   * seeks don't change it.
   *
   * @return completes when no more is taken
   */
  CompletableFuture<@Nullable Void> pause();

  /**
   * Lifts all pauses that were asked for.
   *
   * @return completes when records may come again
   */
  CompletableFuture<@Nullable Void> resume();

  /**
   * As {@link #pause()}, for single partitions. They need not be owned: a partition that leaves and
   * comes back, or comes later, is paused. Of several calls the last word on a partition counts.
   *
   * @param partitions of the consumer's topics
   * @return completes when no more of them is taken
   * @throws IllegalArgumentException when one is not of the consumer's topics
   * @throws UnsupportedOperationException in {@code mode: queue}, whose partitions are nobody's own
   */
  CompletableFuture<@Nullable Void> pause(Collection<TopicPartition> partitions);

  /**
   * Lifts the pause of single partitions, also one that {@link #pause()} put on all.
   *
   * @param partitions of the consumer's topics
   * @return completes when records of them may come again
   * @throws IllegalArgumentException when one is not of the consumer's topics
   * @throws UnsupportedOperationException in {@code mode: queue}, whose partitions are nobody's own
   */
  CompletableFuture<@Nullable Void> resume(Collection<TopicPartition> partitions);

  /**
   * Returns those of its partitions that were asked to pause. Flow control may hold back others for
   * a while; {@link #explain()} tells, also of a pause of all while it has no partitions. In {@code
   * mode: queue}, when all is paused, those of which it still holds records.
   */
  Set<TopicPartition> paused();

  /**
   * Goes on at another offset, forward or backward. Records of the partition that have been taken
   * and not started are dropped; running ones end, but no longer count: nothing they do moves the
   * committed offset, a failure has no retry and no dead letter. The new position is committed with
   * the next commit, also when it lies before the committed one, and what was saved as done beyond
   * that is forgotten. A record that is read again waits for the end of earlier ones of its key. If
   * the partition is lost before the commit, its next owner goes on at the old offset.
   *
   * @param partition owned at this moment; else the future fails with an IllegalStateException
   * @param offset from the first in the log to the log end; else the future fails with an
   *     IllegalArgumentException
   * @return completes when the next poll will take from there; fails with the Kafka client's
   *     exception, and nothing changed, when no broker answers within 5 seconds
   * @throws IllegalArgumentException when the partition is not of the consumer's topics
   * @throws UnsupportedOperationException in {@code mode: queue}, whose partitions are nobody's own
   */
  CompletableFuture<@Nullable Void> seek(TopicPartition partition, long offset);

  /**
   * Goes on at the first record in the log; else as {@link #seek}.
   *
   * @param partitions all owned at this moment
   * @return as for {@link #seek}; when it fails, no partition has moved, or with several {@code
   *     instances} none of one that failed
   * @throws IllegalArgumentException when one is not of the consumer's topics
   * @throws UnsupportedOperationException in {@code mode: queue}, whose partitions are nobody's own
   */
  CompletableFuture<@Nullable Void> seekToBeginning(Collection<TopicPartition> partitions);

  /**
   * Goes on at the log end; else as {@link #seek}.
   *
   * @param partitions all owned at this moment
   * @return as for {@link #seekToBeginning}
   * @throws IllegalArgumentException when one is not of the consumer's topics
   * @throws UnsupportedOperationException in {@code mode: queue}, whose partitions are nobody's own
   */
  CompletableFuture<@Nullable Void> seekToEnd(Collection<TopicPartition> partitions);

  /**
   * Goes on at the first record with this timestamp or a later one, or at the log end when there is
   * none; else as {@link #seek}.
   *
   * @param partitions all owned at this moment
   * @param timestamp not before 1970
   * @return as for {@link #seekToBeginning}
   * @throws IllegalArgumentException when one is not of the consumer's topics, or the timestamp
   *     lies before 1970
   * @throws UnsupportedOperationException in {@code mode: queue}, whose partitions are nobody's own
   */
  CompletableFuture<@Nullable Void> seekToTimestamp(
      Collection<TopicPartition> partitions, Instant timestamp);

  /**
   * Passes over one record that is in the way, as if it had been handled: without another attempt,
   * without a dead letter. It is logged and counted as {@code skipped}; later records of its key go
   * on, and the offset too; until that is committed, a crash or an aborted transaction brings the
   * record back. A handler that runs is not interrupted. A record in a retry topic is skipped
   * there, by that topic's partition and its offset in it.
   *
   * @param partition owned at this moment; else the future fails with an IllegalStateException
   * @param offset of a record that is delivered and has not ended, as {@link #explain()} names it
   * @return what came of it
   * @throws IllegalArgumentException when the partition is not of the consumer's topics
   * @throws UnsupportedOperationException in {@code mode: queue}, whose partitions are nobody's own
   */
  CompletableFuture<SkipResult> skip(TopicPartition partition, long offset);

  /**
   * Tells why each partition stands where it stands. One moment's view, taken by the consumer's own
   * thread, by each of its own when it has several {@code instances}; costs a stack trace for each
   * partition whose oldest record is running. Waits for at most 2 seconds: when the thread does not
   * answer, fails at it, or has ended, the answer says so and has no partitions.
   */
  ConsumerExplanation explain();

  /**
   * Returns whether it is {@link ConsumerState#RUNNING} and, under {@code handler-watchdog.policy:
   * unhealthy}, no record has been in its handler for longer than {@code handler-watchdog.after}.
   * Answers at once with what was so a second ago; fit for a liveness probe.
   */
  boolean isHealthy();

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
   * interrupted, in the caller's executor too, and named in the log; their records stay uncommitted
   * too. Returns within the timeout and about a second, whatever handlers do. Closing again is
   * harmless. Called by a handler, in a thread of Millrace's or of the caller's executor, it only
   * asks for the close and returns at once. The threads that an {@link AsyncRecordHandler} goes on
   * in are not known: there it waits, until the timeout at most, also for the stage that the
   * calling thread is to complete.
   *
   * @param timeout the longest wait for running handlers, the commit and the leave together
   */
  void close(Duration timeout);
}
