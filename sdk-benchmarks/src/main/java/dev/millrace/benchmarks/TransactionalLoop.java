package dev.millrace.benchmarks;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * The Kafka clients as their documentation shows it: poll, handle and send each record, and commit
 * what was sent and the offsets once the interval has passed. In one thread; or in several with all
 * clients of their own, which share the partitions: so much is to be had of the machine.
 */
final class TransactionalLoop implements Contender {
  private final int loops;

  /**
   * @param loops how many threads
   */
  TransactionalLoop(int loops) {
    this.loops = loops;
  }

  @Override
  public Running start(Workload workload, Source source, Handling handling) {
    ExecutorService threads = Executors.newFixedThreadPool(loops);
    AtomicBoolean ended = new AtomicBoolean();
    List<Future<?>> running = new ArrayList<>();
    for (int n = 0; n < loops; n++) {
      String id = source.group() + "-" + n;
      running.add(
          threads.submit(
              () -> {
                copy(workload, source, id, handling, ended);
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

  private static void copy(
      Workload workload, Source source, String id, Handling handling, AtomicBoolean ended)
      throws Exception {
    long intervalNanos = TimeUnit.MILLISECONDS.toNanos(workload.commitMillis());
    try (KafkaConsumer<byte[], byte[]> consumer = consumer(workload, source);
        KafkaProducer<byte[], byte[]> producer = producer(source, id)) {
      producer.initTransactions();
      consumer.subscribe(List.of(source.topic()));
      Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
      long beginNanos = 0;
      while (!ended.get() || !offsets.isEmpty()) {
        ConsumerRecords<byte[], byte[]> polled = consumer.poll(Duration.ofMillis(10));
        if (offsets.isEmpty() && !polled.isEmpty()) {
          producer.beginTransaction();
          beginNanos = System.nanoTime();
        }
        for (ConsumerRecord<byte[], byte[]> record : polled) {
          handling.handle(record.offset(), record.value());
          var unused =
              producer.send(new ProducerRecord<>(source.copy(), record.key(), record.value()));
        }
        offsets.putAll(polled.nextOffsets());
        if (!offsets.isEmpty() && System.nanoTime() - beginNanos >= intervalNanos) {
          producer.sendOffsetsToTransaction(offsets, consumer.groupMetadata());
          producer.commitTransaction();
          offsets.clear();
        }
      }
    }
  }

  private static KafkaConsumer<byte[], byte[]> consumer(Workload workload, Source source) {
    return new KafkaConsumer<>(
        Map.of(
            ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG,
            source.brokers(),
            ConsumerConfig.GROUP_ID_CONFIG,
            source.group(),
            ConsumerConfig.AUTO_OFFSET_RESET_CONFIG,
            "earliest",
            ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG,
            false,
            ConsumerConfig.ISOLATION_LEVEL_CONFIG,
            "read_committed",
            ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG,
            workload.fetchBytes(),
            ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG,
            SESSION_TIMEOUT_MILLIS),
        new ByteArrayDeserializer(),
        new ByteArrayDeserializer());
  }

  private static KafkaProducer<byte[], byte[]> producer(Source source, String id) {
    return new KafkaProducer<>(
        Map.of(
            ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
            source.brokers(),
            ProducerConfig.TRANSACTIONAL_ID_CONFIG,
            id,
            ProducerConfig.BATCH_SIZE_CONFIG,
            BATCH_BYTES,
            ProducerConfig.LINGER_MS_CONFIG,
            LINGER_MILLIS),
        new ByteArraySerializer(),
        new ByteArraySerializer());
  }
}
