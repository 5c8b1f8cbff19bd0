package dev.millrace.internal.consumer;

import java.util.Map;
import java.util.NavigableMap;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.apache.kafka.common.TopicPartition;

/** A partition's log; markers and what compaction has taken leave gaps in its offsets. */
final class SimLog {

  /**
   * A record.
   *
   * @param life of the log, in which it was appended
   * @param epoch the leader's, as clients see it
   * @param forOthers redriven for another group, so that it is passed over
   */
  record Entry(String key, int life, int epoch, long millis, boolean forOthers) {}

  final TopicPartition partition;
  final NavigableMap<Long, Entry> entries = new TreeMap<>();
  private final NavigableMap<Integer, Long> epochStarts = new TreeMap<>();
  private int epoch;
  long begin;
  long end;

  /** How often its end was cut off or it was made anew: what was read before may be gone. */
  int life;

  /** The life in which its topic was made. */
  int made;

  SimLog(TopicPartition partition) {
    this.partition = partition;
    epochStarts.put(0, 0L);
  }

  int epoch() {
    return epoch;
  }

  void append(String key, long millis, boolean forOthers) {
    entries.put(end++, new Entry(key, life, epoch, millis, forOthers));
  }

  /** Retention has deleted what is below. */
  void beginAt(long offset) {
    entries.headMap(offset).clear();
    begin = offset;
  }

  /** An unclean election: the new leader does not have what is from here on. */
  void cutAt(long offset) {
    entries.tailMap(offset).clear();
    epochStarts.values().removeIf(start -> start >= offset && start > begin);
    end = offset;
    life++;
    epochStarts.put(++epoch, offset);
  }

  /** The topic is deleted, and made again. */
  void makeAnew() {
    entries.clear();
    epochStarts.clear();
    epochStarts.put(0, 0L);
    epoch = 0;
    begin = 0;
    end = 0;
    made = ++life;
  }

  /**
   * Returns where the records of an epoch end, or those of the last one before it; empty for an
   * epoch that the leader has never heard of.
   */
  OptionalLong endOf(int asked) {
    if (asked > epoch) {
      return OptionalLong.empty();
    }
    Map.Entry<Integer, Long> next = epochStarts.higherEntry(asked);
    return OptionalLong.of(next == null ? end : next.getValue());
  }

  /** Returns the first offset whose record is not older, or the end. */
  long firstSince(long millis) {
    return entries.entrySet().stream()
        .filter(entry -> entry.getValue().millis() >= millis)
        .mapToLong(Map.Entry::getKey)
        .findFirst()
        .orElse(end);
  }
}
