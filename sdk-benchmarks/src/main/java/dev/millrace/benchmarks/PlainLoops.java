package dev.millrace.benchmarks;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * The Kafka client as its documentation shows it: poll, handle each record, let the client commit.
 * With several loops each has a consumer and a thread of its own, at most one for each partition.
 */
final class PlainLoops implements Contender {
  private final int atMost;

  PlainLoops(int atMost) {
    this.atMost = atMost;
  }

  @Override
  public Running start(Workload workload, Source source, Handling handling) {
    int loops = Math.min(atMost, workload.partitions());
    ExecutorService threads = Executors.newFixedThreadPool(loops);
    AtomicBoolean ended = new AtomicBoolean();
    List<Future<?>> running = new ArrayList<>();
    for (int loop = 0; loop < loops; loop++) {
      running.add(
          threads.submit(
              () -> {
                consume(workload, source, handling, ended);
                return null;
              }));
    }
    return () -> {
      ended.set(true);
      threads.shutdown();
      for (Future<?> loop : running) {
        loop.get();
      }
    };
  }

  private static void consume(
      Workload workload, Source source, Handling handling, AtomicBoolean ended) throws Exception {
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of(
                ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, source.brokers(),
                ConsumerConfig.GROUP_ID_CONFIG, source.group(),
                ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest",
                ConsumerConfig.AUTO_COMMIT_INTERVAL_MS_CONFIG, workload.commitMillis(),
                ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, workload.fetchBytes(),
                ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG, SESSION_TIMEOUT_MILLIS),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      consumer.subscribe(List.of(source.topic()));
      while (!ended.get()) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
          handling.handle(record.offset(), record.value());
        }
      }
    }
  }
}
