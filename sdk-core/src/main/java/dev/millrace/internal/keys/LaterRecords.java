package dev.millrace.internal.keys;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * The keys that have records in one partition of a retry topic which may not have ended. Each
 * record is read once, and only its key's tag is kept. One thread.
 */
final class LaterRecords {
  private final TopicPartition partition;
  private final int most;
  private final Map<Long, Long> lastOffsets = new HashMap<>();
  private long readTo;
  private long end = Long.MAX_VALUE;

  /**
   * @param most how many keys at most; beyond them it is not complete
   */
  LaterRecords(TopicPartition partition, int most) {
    this.partition = partition;
    this.most = most;
  }

  /**
   * Reads what has come since the last time.
   *
   * @param committed what the group has committed, asked before the end
   * @param endNow the log's end, asked after that
   * @param tagOf returns null for a record without an order
   */
  void read(
      long committed,
      long endNow,
      RetryLogs logs,
      Function<ConsumerRecord<byte[], byte[]>, @Nullable Long> tagOf) {
    if (endNow < readTo) { // The topic was made anew, or its end was cut off.
      lastOffsets.clear();
      readTo = 0;
    }
    end = endNow;
    lastOffsets.values().removeIf(offset -> offset < committed);
    readTo = Math.max(readTo, committed);
    if (readTo < end && lastOffsets.size() < most) {
      readTo =
          logs.read(
              partition,
              readTo,
              end,
              record -> {
                Long tag = tagOf.apply(record);
                if (tag != null) {
                  lastOffsets.put(tag, record.offset());
                }
                return lastOffsets.size() < most;
              });
    }
  }

  /** Returns whether all up to the log's end has been read. */
  boolean isComplete() {
    return readTo >= end;
  }

  /** Returns whether a record of the key may not have ended. */
  boolean contains(long tag) {
    return !isComplete() || lastOffsets.containsKey(tag);
  }

  /** Returns the offset of each key's last record. */
  Map<Long, Long> lastOffsets() {
    return lastOffsets;
  }
}
