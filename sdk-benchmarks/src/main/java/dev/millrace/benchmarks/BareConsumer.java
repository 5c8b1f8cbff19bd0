package dev.millrace.benchmarks;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * The Kafka client and a semaphore for the permits, and nothing else: no order, no offsets, no
 * retries. What the machine can reach of the limit with records that come from a broker.
 */
final class BareConsumer implements Contender {
  @Override
  public Running start(Workload workload, Source source, Handling handling) throws Exception {
    Semaphore permits = new Semaphore(workload.permits());
    ExecutorService threads =
        workload.isAsynchronous()
            ? Executors.newSingleThreadExecutor()
            : BareThreads.threads(workload);
    ExecutorService poll = Executors.newSingleThreadExecutor();
    AtomicBoolean ended = new AtomicBoolean();
    var loop =
        poll.submit(
            () -> {
              consume(workload, source, handling, permits, threads, ended);
              return null;
            });
    return () -> {
      ended.set(true);
      loop.get();
      poll.shutdown();
      threads.shutdown();
    };
  }

  private static void consume(
      Workload workload,
      Source source,
      Handling handling,
      Semaphore permits,
      ExecutorService threads,
      AtomicBoolean ended)
      throws InterruptedException {
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of(
                ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, source.brokers(),
                ConsumerConfig.GROUP_ID_CONFIG, source.group(),
                ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest",
                ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, workload.fetchBytes()),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      consumer.subscribe(List.of(source.topic()));
      while (!ended.get()) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
          permits.acquire();
          int sequence = Payload.sequence(record.value());
          if (workload.isAsynchronous()) {
            var unused =
                handling.beginToWait(sequence).whenComplete((none, failure) -> permits.release());
          } else {
            var unused =
                threads.submit(
                    () -> {
                      handling.waitOnly(sequence);
                      permits.release();
                      return null;
                    });
          }
        }
      }
    }
  }
}
