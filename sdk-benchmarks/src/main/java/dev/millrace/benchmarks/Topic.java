package dev.millrace.benchmarks;

import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.probe.GroupProbe;
import dev.millrace.testkit.probe.TopicProbe;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntToLongFunction;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/** A topic with the records of one workload, numbered from 0. */
final class Topic {
  private final KafkaCluster kafka;
  private final Workload workload;
  private final String name;
  private final int records;

  /** Makes it, with nothing in it. */
  Topic(KafkaCluster kafka, Workload workload, String name, int records) {
    this.kafka = kafka;
    this.workload = workload;
    this.name = name;
    this.records = records;
    kafka.createTopic(name, workload.partitions());
  }

  String name() {
    return name;
  }

  int records() {
    return records;
  }

  /** Sends all records as fast as they go. */
  void fill() {
    send(
        Map.of(ProducerConfig.LINGER_MS_CONFIG, 20, ProducerConfig.BATCH_SIZE_CONFIG, 65536),
        i -> 0);
  }

  /** Sends the workload's number of records in each second, at equal distances. */
  void sendPaced() {
    long start = System.nanoTime();
    send(
        Map.of(ProducerConfig.LINGER_MS_CONFIG, 0),
        sequence -> {
          long due = start + sequence * 1_000_000_000L / workload.perSecond();
          for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) {
            LockSupport.parkNanos(left);
          }
          return due;
        });
  }

  /**
   * @param sentNanos waits until a record is due, and returns since when it is
   */
  private void send(Map<String, Object> settings, IntToLongFunction sentNanos) {
    Payload payload = new Payload(workload);
    AtomicReference<@Nullable Exception> failure = new AtomicReference<>();
    Map<String, Object> all = new HashMap<>(settings);
    all.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, kafka.bootstrapServers());
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(all, new ByteArraySerializer(), new ByteArraySerializer())) {
      for (int sequence = 0; sequence < records; sequence++) {
        byte[] value = payload.value(sequence, sentNanos.applyAsLong(sequence));
        var unused =
            producer.send(
                new ProducerRecord<>(name, payload.key(sequence), value),
                (metadata, failed) -> {
                  if (failed != null) {
                    failure.set(failed);
                  }
                });
      }
    }
    Exception failed = failure.get();
    if (failed != null) {
      throw new IllegalStateException("Topic " + name + " was not filled", failed);
    }
  }

  /** Returns the partitions whose committed offset is not the log end, with both; empty if none. */
  String uncommitted(String group) {
    Map<TopicPartition, OffsetAndMetadata> committed =
        GroupProbe.of(kafka.directServers(), group, name).committed();
    return TopicProbe.of(kafka.directServers(), name).offsets().entrySet().stream()
        .filter(
            end -> {
              OffsetAndMetadata offset = committed.get(end.getKey());
              return end.getValue().end() != (offset == null ? 0 : offset.offset());
            })
        .map(end -> end.getKey() + " " + committed.get(end.getKey()) + " of " + end.getValue())
        .collect(Collectors.joining(", "));
  }
}
