package dev.millrace.internal.keys;

import dev.millrace.internal.channel.KeysAhead;
import java.util.List;
import org.apache.kafka.common.TopicPartition;

/** A partition whose records follow their keys, for one time of owning it. Any thread. */
final class OrderedPartition {
  private final TopicPartition name;
  private final List<TopicPartition> later;
  private final KeysAhead keys = new KeysAhead();
  private volatile boolean known;

  /**
   * @param later those of the retry topics that its records may go to, from the next one on; not
   *     empty
   */
  OrderedPartition(TopicPartition name, List<TopicPartition> later) {
    this.name = name;
    this.later = List.copyOf(later);
  }

  TopicPartition name() {
    return name;
  }

  /** Returns the partition of the next retry topic. */
  TopicPartition next() {
    return later.get(0);
  }

  /** Returns the partitions of those behind the next one. */
  List<TopicPartition> further() {
    return later.subList(1, later.size());
  }

  List<TopicPartition> later() {
    return later;
  }

  KeysAhead keys() {
    return keys;
  }

  /** Whether it has been found out which keys earlier owners had sent ahead. */
  boolean isKnown() {
    return known;
  }

  void known() {
    known = true;
  }
}
