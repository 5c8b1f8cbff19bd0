package dev.millrace.benchmarks;

import dev.millrace.testkit.cluster.KafkaCluster;
import java.time.Duration;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** The topic that one run copies to, and the check of what is in it. */
final class Copy implements AutoCloseable {
  private final KafkaCluster kafka;
  private final Workload workload;
  private final String name;
  private final int records;

  /** Makes it, with nothing in it. */
  Copy(KafkaCluster kafka, Workload workload, String name, int records) {
    this.kafka = kafka;
    this.workload = workload;
    this.name = name;
    this.records = records;
    kafka.createTopic(name, workload.partitions());
  }

  /**
   * Reads what is committed: each record must be there once, and those of a key in their order.
   *
   * @return what is wrong; empty when nothing is
   */
  String problems() {
    BitSet seen = new BitSet(records);
    int[] last = new int[Math.min(workload.keys(), workload.records())];
    Arrays.fill(last, -1);
    int repeated = 0;
    int outOfOrder = 0;
    int ofOtherSize = 0;
    List<TopicPartition> partitions =
        IntStream.range(0, workload.partitions())
            .mapToObj(n -> new TopicPartition(name, n))
            .toList();
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of(
                ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG,
                kafka.directServers(),
                ConsumerConfig.ISOLATION_LEVEL_CONFIG,
                "read_committed"),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      while (ends.entrySet().stream()
          .anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
          int sequence = Payload.sequence(record.value());
          int key = workload.keyOf(sequence);
          repeated += seen.get(sequence) ? 1 : 0;
          outOfOrder += last[key] >= sequence ? 1 : 0;
          ofOtherSize += record.value().length == workload.valueBytes() ? 0 : 1;
          seen.set(sequence);
          last[key] = sequence;
        }
      }
    }
    int lost = records - seen.cardinality();
    return lost + repeated + outOfOrder + ofOtherSize == 0
        ? ""
        : "of the copies %,d are lost, %,d there again, %,d out of order, %,d of another size"
            .formatted(lost, repeated, outOfOrder, ofOtherSize);
  }

  @Override
  public void close() {
    kafka.deleteTopic(name);
  }
}
