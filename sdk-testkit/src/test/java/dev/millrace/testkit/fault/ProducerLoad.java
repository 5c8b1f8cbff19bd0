package dev.millrace.testkit.fault;

import dev.millrace.testkit.history.History;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/** A plain producer with {@code acks=all} that sends as fast as answers come. */
final class ProducerLoad implements AutoCloseable {
  private static final int MOST_UNANSWERED = 100;
  private static final int KEYS = 50;

  private final KafkaProducer<String, String> producer;
  private final History history;
  private final String topic;
  private final Semaphore unanswered = new Semaphore(MOST_UNANSWERED);
  private final AtomicLong acknowledged = new AtomicLong();
  private final Thread thread = new Thread(this::send, "producer-load");

  private ProducerLoad(String servers, String topic, Path file) {
    this.topic = topic;
    history = History.write(file, "producer");
    producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", servers, "acks", "all", "linger.ms", "5"),
            new StringSerializer(),
            new StringSerializer());
  }

  static ProducerLoad start(String servers, String topic, Path file) {
    ProducerLoad load = new ProducerLoad(servers, topic, file);
    load.thread.start();
    return load;
  }

  long acknowledged() {
    return acknowledged.get();
  }

  private void send() {
    try {
      for (long number = 0; ; number++) {
        unanswered.acquire();
        ProducerRecord<String, String> record =
            new ProducerRecord<>(topic, "key-" + number % KEYS, "value-" + number);
        var unused =
            producer.send(
                record,
                (answer, failure) -> {
                  unanswered.release();
                  if (failure == null) {
                    history.acked(record, answer);
                    acknowledged.incrementAndGet();
                  } else {
                    history.sendUnknown(record, failure);
                  }
                });
      }
    } catch (InterruptedException e) {
      // That is how it ends.
    }
  }

  /** Returns when every send has been answered. A second call does nothing. */
  @Override
  public void close() {
    thread.interrupt();
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    producer.close(Duration.ofSeconds(60));
    history.close();
  }
}
