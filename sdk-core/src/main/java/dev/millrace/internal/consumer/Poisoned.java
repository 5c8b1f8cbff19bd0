package dev.millrace.internal.consumer;

import dev.millrace.errors.ConsumerFailedException;
import dev.millrace.internal.transaction.Poison;
import java.util.HashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.jspecify.annotations.Nullable;

/**
 * The records whose outputs no transaction could hold. When they are delivered again, their
 * handlers are not called: they are given up, so that their neighbours are handled again only once.
 * Confined to the poll thread.
 */
final class Poisoned {
  private final String consumer;
  private final Map<TopicPartition, NavigableMap<Long, Throwable>> causes = new HashMap<>();

  Poisoned(String consumer) {
    this.consumer = consumer;
  }

  /**
   * Notes a record.
   *
   * @throws ConsumerFailedException when its dead letter is too large as well: no later try can
   *     succeed, and to skip the record is not ours to decide
   */
  void add(Poison poison) {
    Throwable before =
        causes
            .computeIfAbsent(poison.partition(), absent -> new TreeMap<>())
            .putIfAbsent(poison.offset(), poison.cause());
    if (before != null && poison.cause() instanceof RecordTooLargeException) {
      throw new ConsumerFailedException(
          "Consumer '%s' stopped at %s@%d, whose output can't be written (%s), and neither can its dead letter, to '%s' (%s). The offset stays before it."
              .formatted(
                  consumer,
                  poison.partition(),
                  poison.offset(),
                  before,
                  poison.outputTopic(),
                  poison.cause()),
          poison.cause());
    }
  }

  /** Returns why a record is not to be handled, or null. */
  @Nullable Throwable cause(TopicPartition partition, long offset) {
    if (causes.isEmpty()) {
      return null;
    }
    NavigableMap<Long, Throwable> its = causes.get(partition);
    return its == null ? null : its.get(offset);
  }

  /** Forgets what has been committed over. */
  void forgetBefore(TopicPartition partition, long offset) {
    NavigableMap<Long, Throwable> its = causes.get(partition);
    if (its != null) {
      its.headMap(offset, false).clear();
      if (its.isEmpty()) {
        causes.remove(partition);
      }
    }
  }
}
