package dev.millrace.testkit.guarantee;

import dev.millrace.testkit.history.History;
import dev.millrace.testkit.history.Outcome;
import dev.millrace.testkit.internal.ParentWatch;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * A consumer on the plain client, in a JVM of its own so that it can be killed. The correct one
 * handles on the poll thread and commits each record; the naive one lets the client commit by
 * itself while a pool handles.
 */
final class PlainConsumer {
  static final String SLOW_KEY = "slow";
  static final String SLOW_GATE = "hold-slow";
  static final String POLL_GATE = "hold-poll";

  private static final Duration BOUND = Duration.ofSeconds(50);

  private final Gates gates;
  private final String name;
  private final History history;
  private final KafkaConsumer<String, String> consumer;

  private PlainConsumer(
      Gates gates, String name, History history, KafkaConsumer<String, String> consumer) {
    this.gates = gates;
    this.name = name;
    this.history = history;
    this.consumer = consumer;
  }

  static String gateOf(String name) {
    return "hold-" + name;
  }

  public static void main(String[] args) throws Exception {
    AtomicBoolean stop = new AtomicBoolean();
    CountDownLatch ended = new CountDownLatch(1);
    ParentWatch.start(
        () -> {
          stop.set(true);
          await(ended);
        },
        BOUND);
    boolean naive = Boolean.parseBoolean(args[0]);
    Path directory = Path.of(args[4]);
    String name = args[5];
    ExecutorService pool = Executors.newFixedThreadPool(4);
    try (History history = History.write(directory.resolve(name + ".jsonl"), name)) {
      try (KafkaConsumer<String, String> consumer = consumer(naive, args[1], args[3])) {
        consumer.subscribe(List.of(args[2]), history.recording());
        PlainConsumer plain = new PlainConsumer(new Gates(directory), name, history, consumer);
        while (!stop.get()) {
          plain.turn(naive, pool);
        }
      }
      pool.shutdown();
      if (!pool.awaitTermination(BOUND.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new IllegalStateException("Handlers do not end");
      }
    } finally {
      ended.countDown();
    }
  }

  private void turn(boolean naive, ExecutorService pool) {
    ConsumerRecords<String, String> records = consumer.poll(Duration.ofMillis(50));
    for (ConsumerRecord<String, String> record : records) {
      if (naive) {
        pool.execute(() -> handle(record));
      } else {
        handle(record);
        Map<TopicPartition, OffsetAndMetadata> next =
            Map.of(
                new TopicPartition(record.topic(), record.partition()),
                new OffsetAndMetadata(record.offset() + 1));
        consumer.commitSync(next);
        history.committed(next);
      }
    }
    if (!records.isEmpty()) {
      history.killPoint("before the next poll");
      gates.pass(POLL_GATE);
    }
  }

  private void handle(ConsumerRecord<String, String> record) {
    history.started(record);
    gates.pass(gateOf(name));
    if (record.key().equals(SLOW_KEY)) {
      gates.pass(SLOW_GATE);
    }
    history.ended(record, Outcome.HANDLED);
  }

  private static KafkaConsumer<String, String> consumer(
      boolean naive, String servers, String group) {
    return new KafkaConsumer<>(
        Map.of(
            "bootstrap.servers", servers,
            "group.id", group,
            "auto.offset.reset", "earliest",
            "enable.auto.commit", Boolean.toString(naive),
            "auto.commit.interval.ms", "20",
            "heartbeat.interval.ms", "200",
            "session.timeout.ms", "120000",
            "max.poll.interval.ms", "300000"),
        new StringDeserializer(),
        new StringDeserializer());
  }

  private static void await(CountDownLatch ended) {
    try {
      ended.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
