package dev.millrace;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.jspecify.annotations.Nullable;

/** Sends one record to each partition every 10 ms, until it is stopped. */
final class SteadyLoad {
  private static final int KEYS_PER_PARTITION = 4;

  private final String topic;
  private final int partitions;
  private final KafkaProducer<String, String> producer;
  private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
  private final AtomicReference<@Nullable Exception> failure = new AtomicReference<>();
  private int round;

  SteadyLoad(String bootstrapServers, String topic, int partitions) {
    this.topic = topic;
    this.partitions = partitions;
    this.producer =
        new KafkaProducer<>(
            Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers),
            new StringSerializer(),
            new StringSerializer());
  }

  void start() {
    var unused = clock.scheduleAtFixedRate(this::send, 0, 10, TimeUnit.MILLISECONDS);
  }

  private void send() {
    round++;
    for (int partition = 0; partition < partitions; partition++) {
      String key = partition + "/" + round % KEYS_PER_PARTITION;
      var unused =
          producer.send(
              new ProducerRecord<>(topic, partition, key, Integer.toString(round)),
              (sent, refused) -> failure.compareAndSet(null, refused));
    }
  }

  /** Returns when all that was sent is acknowledged; a second call does nothing. */
  void stop() throws InterruptedException {
    clock.shutdown();
    assertThat(clock.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
    producer.close(Duration.ofSeconds(30));
    assertThat(failure.get()).isNull();
  }
}
