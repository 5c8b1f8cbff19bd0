package dev.millrace.testkit.probe;

import dev.millrace.testkit.TestKitException;
import dev.millrace.testkit.internal.Answer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Reads what lies between two offsets, as a member of no group and leaving no trace.
 *
 * <p>Not thread-safe.
 */
final class RangeReader implements AutoCloseable {
  private static final Duration ONE_POLL = Duration.ofMillis(100);

  /** In ms. At the end of a topic a fetch waits in the broker, and closing waits for the fetch. */
  private static final int NO_LONG_FETCH = 10;

  private final KafkaConsumer<byte[], byte[]> consumer;

  RangeReader(Map<String, Object> properties, IsolationLevel isolation) {
    consumer =
        new KafkaConsumer<>(
            ProbeClients.with(
                properties,
                Map.of(
                    "isolation.level",
                    isolation.toString(),
                    "fetch.max.wait.ms",
                    NO_LONG_FETCH,
                    "auto.offset.reset",
                    "earliest",
                    "enable.auto.commit",
                    "false",
                    "allow.auto.create.topics",
                    "false",
                    "default.api.timeout.ms",
                    (int) Answer.BOUND.toMillis())),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer());
  }

  /**
   * The topic's partitions, each from the first offset still there to where readers of this
   * isolation come to the end for now; none when there is no such topic.
   */
  List<OffsetRange> whole(String topic) {
    List<TopicPartition> partitions =
        consumer.partitionsFor(topic).stream()
            .map(info -> new TopicPartition(topic, info.partition()))
            .toList();
    // Asking for offsets needs no assignment, but without one the client warns of each answer.
    consumer.assign(partitions);
    Map<TopicPartition, Long> begins = consumer.beginningOffsets(partitions);
    List<OffsetRange> ranges = new ArrayList<>();
    consumer
        .endOffsets(partitions)
        .forEach(
            (partition, end) ->
                ranges.add(new OffsetRange(partition, begins.getOrDefault(partition, 0L), end)));
    return ranges;
  }

  /**
   * Returns the records of the ranges, of one partition by offset, the partitions mixed.
   *
   * @throws TestKitException if they cannot be read within {@link Answer#BOUND}
   */
  List<ConsumerRecord<byte[], byte[]>> read(List<OffsetRange> ranges) {
    List<OffsetRange> open = new ArrayList<>(ranges);
    open.removeIf(OffsetRange::isEmpty);
    consumer.assign(open.stream().map(OffsetRange::partition).toList());
    open.forEach(range -> consumer.seek(range.partition(), range.from()));

    List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
    long start = System.nanoTime();
    while (!open.isEmpty()) {
      if (System.nanoTime() - start > Answer.BOUND.toNanos()) {
        throw new TestKitException(
            "Read %d records in %s without coming to the end of %s"
                .formatted(records.size(), Answer.BOUND, open),
            null);
      }
      ConsumerRecords<byte[], byte[]> polled = consumer.poll(ONE_POLL);
      for (OffsetRange range : open) {
        polled.records(range.partition()).stream()
            .filter(record -> record.offset() < range.to())
            .forEach(records::add);
      }
      // By position, not by the records' offsets: the last ones may be markers nobody is shown.
      open.removeIf(range -> consumer.position(range.partition()) >= range.to());
    }
    return records;
  }

  @Override
  public void close() {
    consumer.close();
  }
}
