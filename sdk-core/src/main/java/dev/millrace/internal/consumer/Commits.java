package dev.millrace.internal.consumer;

import java.time.Duration;
import java.util.Collection;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;

/** How a consumer tells its group what it has finished. Confined to the poll thread. */
interface Commits {

  /** Returns when {@link #commitIfDue} wants to be called again. */
  long dueNanos();

  /** Any thread. Whether {@link #commitIfDue} wants to be called before that. */
  default boolean hasNews() {
    return false;
  }

  /**
   * Commits without waiting, if it is time to, and there is news.
   *
   * @param ended how many records have ever ended
   */
  void commitIfDue(long nowNanos, long ended, Collection<AssignedPartition> partitions);

  /**
   * Sees to it that records can end while the poll thread waits for them.
   *
   * @param deadlineNanos when it gives up
   */
  default void letEnd(Collection<AssignedPartition> partitions, long deadlineNanos) {}

  /** Commits and waits for the answer; a failure is logged, since the partitions leave anyway. */
  default void commitNow(Collection<AssignedPartition> partitions, Duration timeout) {
    KafkaException refusal = tryNow(partitions, timeout);
    if (refusal != null) {
      givenUp(partitions, refusal);
    }
  }

  /**
   * Commits and waits for the answer.
   *
   * @return why nothing was committed; null when all is, or there was nothing to commit
   */
  @Nullable KafkaException tryNow(Collection<AssignedPartition> partitions, Duration timeout);

  /** Says in the log what was finished, and remains uncommitted. */
  void givenUp(Collection<AssignedPartition> partitions, KafkaException refusal);
}
