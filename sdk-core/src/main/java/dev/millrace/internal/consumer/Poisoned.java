package dev.millrace.internal.consumer;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.errors.ConsumerFailedException;
import dev.millrace.internal.channel.Delivery;
import dev.millrace.internal.delivery.Trimming;
import dev.millrace.internal.transaction.Departure;
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
 * handlers are not called: they are given up, or leave for the topic that they were on their way
 * to, so that their neighbours are handled again only once for each. Confined to the poll thread.
 */
final class Poisoned {
  private final String consumer;
  private final int mostCut;
  private final Map<TopicPartition, NavigableMap<Long, Mark>> marks = new HashMap<>();

  /**
   * What becomes of a record.
   *
   * @param departure how it leaves; null when it is given up
   */
  private record Mark(Throwable cause, @Nullable Departure departure) {}

  Poisoned(ConsumerDefinition definition) {
    this.consumer = definition.name();
    this.mostCut = Trimming.most(definition.deadLetter());
  }

  /**
   * Notes a record.
   *
   * @throws ConsumerFailedException when its dead letter is too large, whatever is left out of it:
   *     no later try can succeed, and to skip the record is not ours to decide
   */
  void add(Poison poison) {
    marks
        .computeIfAbsent(poison.partition(), absent -> new TreeMap<>())
        .put(poison.offset(), mark(poison));
  }

  private Mark mark(Poison poison) {
    Departure left = poison.departure();
    if (left == null) {
      return new Mark(poison.cause(), null);
    }
    if (!(poison.cause() instanceof RecordTooLargeException)) {
      return new Mark(left.cause(), left);
    }
    if (left.level() > 0) {
      return new Mark(left.cause(), null);
    }
    if (left.cut() < mostCut) {
      return new Mark(left.cause(), left.cutMore());
    }
    throw new ConsumerFailedException(
        "Consumer '%s' stopped at %s@%d, which has failed (%s), and whose dead letter is too large for '%s' (%s). The offset stays before it; %s."
            .formatted(
                consumer,
                poison.partition(),
                poison.offset(),
                left.cause(),
                poison.outputTopic(),
                poison.cause(),
                SelfStop.WHEN_TOO_LARGE),
        poison.cause());
  }

  /** Says of a delivery that is about to be offered what is known of its record. */
  void tell(Delivery delivery, TopicPartition partition, long offset, long nowNanos) {
    NavigableMap<Long, Mark> its = marks.isEmpty() ? null : marks.get(partition);
    Mark mark = its == null ? null : its.get(offset);
    if (mark == null) {
      return;
    }
    if (mark.departure() == null) {
      delivery.refuse(mark.cause());
    } else {
      delivery.leaves(mark.departure(), nowNanos);
    }
  }

  /** Forgets what has been committed over. */
  void forgetBefore(TopicPartition partition, long offset) {
    NavigableMap<Long, Mark> its = marks.get(partition);
    if (its != null) {
      its.headMap(offset, false).clear();
      if (its.isEmpty()) {
        marks.remove(partition);
      }
    }
  }
}
