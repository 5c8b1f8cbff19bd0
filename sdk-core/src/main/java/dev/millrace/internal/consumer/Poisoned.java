package dev.millrace.internal.consumer;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.errors.ConsumerFailedException;
import dev.millrace.internal.channel.Delivery;
import dev.millrace.internal.delivery.GaveUp;
import dev.millrace.internal.delivery.SendOutages;
import dev.millrace.internal.delivery.Trimming;
import dev.millrace.internal.metrics.ConsumerMeters;
import dev.millrace.internal.time.EngineClock;
import dev.millrace.internal.transaction.Departure;
import dev.millrace.internal.transaction.Poison;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
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
  private final SendOutages outages;
  private final ConsumerMeters meters;
  private final EngineClock clock;
  private final Map<TopicPartition, NavigableMap<Long, Mark>> marks = new HashMap<>();

  /**
   * What becomes of a record.
   *
   * @param departure how it leaves; null when it is given up
   * @param why it has no other attempt, in the words of logs and headers
   */
  private record Mark(@Nullable Departure departure, Throwable cause, String why) {
    static Mark leaves(Departure how) {
      return new Mark(how, how.failure(), how.gaveUp());
    }

    static Mark givenUp(Throwable cause, String why) {
      return new Mark(null, cause, why);
    }
  }

  /**
   * @param outages told of the topics that records could not leave for
   */
  Poisoned(
      ConsumerDefinition definition,
      SendOutages outages,
      ConsumerMeters meters,
      EngineClock clock) {
    this.consumer = definition.name();
    this.mostCut = Trimming.most(definition.deadLetter());
    this.outages = outages;
    this.meters = meters;
    this.clock = clock;
  }

  /**
   * Notes those of a transaction that was aborted. However many of them were to leave for a topic
   * that can't be written, it was one try.
   *
   * @throws ConsumerFailedException when the dead-letter topic will never take one of them,
   *     whatever is left out: no later try can succeed, and to skip the record is not ours to
   *     decide
   */
  void add(Collection<Poison> ofTransaction) {
    Set<String> tried = new HashSet<>();
    for (Poison poison : ofTransaction) {
      Departure left = poison.departure();
      if (left != null && !Departure.isRefused(poison.cause()) && tried.add(poison.outputTopic())) {
        notWritten(poison.outputTopic(), left, poison.cause());
      }
    }
    ofTransaction.forEach(this::add);
  }

  private void notWritten(String topic, Departure how, Throwable cause) {
    if (how.level() == 0) {
      meters.deadLetterFailed();
    } else {
      meters.retryTopicFailed();
    }
    long unused = outages.failed(topic, cause, clock.nanos());
  }

  private void add(Poison poison) {
    marks
        .computeIfAbsent(poison.partition(), absent -> new TreeMap<>())
        .put(poison.offset(), mark(poison));
  }

  private Mark mark(Poison poison) {
    Departure left = poison.departure();
    if (left == null) {
      return Mark.givenUp(poison.cause(), GaveUp.KEPT_FROM_HANDLER);
    }
    if (!Departure.isRefused(poison.cause())) {
      return Mark.leaves(left);
    }
    if (left.level() > 0) {
      return Mark.givenUp(left.failure(), GaveUp.byRetryTopic(poison.cause()));
    }
    if (poison.cause() instanceof RecordTooLargeException && left.cut() < mostCut) {
      return Mark.leaves(left.cutMore());
    }
    throw new ConsumerFailedException(
        "Consumer '%s' stopped at %s@%d, which has failed (%s), and whose dead letter '%s' will never take (%s). The offset stays before it%s."
            .formatted(
                consumer,
                poison.partition(),
                poison.offset(),
                left.failure(),
                poison.outputTopic(),
                poison.cause(),
                SelfStop.advice(poison.cause())),
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
      delivery.refuse(mark.cause(), mark.why());
    } else {
      delivery.leaves(mark.departure(), nowNanos);
    }
  }

  /** A transaction is committed with which records have left for these topics. */
  void left(Set<String> topics) {
    topics.forEach(outages::taken);
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
