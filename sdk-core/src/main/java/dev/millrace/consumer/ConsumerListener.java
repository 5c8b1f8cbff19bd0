package dev.millrace.consumer;

import java.time.Duration;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;

/**
 * Told of what happens to a consumer's partitions, and of when it has nothing to do.
 *
 * <p>Its methods are called one at a time, in the order of events, on a thread of their own for
 * each consumer, or for each of its {@code instances}, which take turns. So a method that blocks
 * harms neither the consumer nor its group: what waits for it does so for {@code drain-timeout} at
 * most, then goes on without it, and later calls queue behind it. What a method throws is logged
 * and has no other effect.
 *
 * <p>A method may call the consumer, but should not wait for the futures of {@code pause}, {@code
 * resume} and {@code seek}: the consumer may be waiting for the method. When the consumer ends, the
 * thread is interrupted if it does not end by itself within {@code close-timeout}.
 */
public interface ConsumerListener {

  /**
   * Partitions have come. None of their records is handled before this has returned, unless it
   * takes longer than {@code drain-timeout}.
   *
   * @param partitions those that are new, at least one
   */
  default void assigned(Set<TopicPartition> partitions) {}

  /**
   * Partitions are about to leave, by a rebalance or because the consumer ends. Their records have
   * come to rest, or {@code drain-timeout} has passed; nothing more of them starts. They are still
   * owned, and what is finished is committed when this has returned, or when {@code drain-timeout}
   * has passed since they began to leave ({@code close-timeout} when the consumer ends): the time
   * to write out what handlers have gathered. When the consumer ends, this is the last call.
   *
   * @param partitions those that leave, at least one
   */
  default void revoked(Set<TopicPartition> partitions) {}

  /**
   * Partitions are gone: the group has given them to others without asking, since this consumer did
   * not answer in time. Some of their handlers may still run; nothing of theirs is committed any
   * more.
   *
   * @param partitions those that were lost, at least one
   */
  default void lost(Set<TopicPartition> partitions) {}

  /**
   * Nothing has been polled, nor was anything queued, running or waiting for a retry, for {@code
   * idle-after}; also when it is paused, or owns no partition; in none of its instances, if it has
   * several. Called once, until {@link #active()}.
   *
   * @param lasting for how long
   */
  default void idle(Duration lasting) {}

  /** Records come again after {@link #idle}. */
  default void active() {}
}
