package dev.millrace.testkit.guarantee;

import dev.millrace.testkit.history.RecordText;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * A record of a topic, as the checks see it: without its payload.
 *
 * @param partition its topic and partition
 * @param offset its offset
 * @param key its key as text, see {@link RecordText#key}; null when it has none
 * @param valueId stands for its value, see {@link RecordText#valueId}
 * @param timestamp its own time, in ms since 1970
 */
public record LogRecord(
    TopicPartition partition, long offset, @Nullable String key, String valueId, long timestamp) {

  static LogRecord of(ConsumerRecord<byte[], byte[]> record) {
    return new LogRecord(
        new TopicPartition(record.topic(), record.partition()),
        record.offset(),
        RecordText.key(record.key()),
        RecordText.valueId(record.value()),
        record.timestamp());
  }

  /** Returns one line for people. */
  @Override
  public String toString() {
    return partition + "@" + offset + " key " + key + " value #" + valueId;
  }
}
