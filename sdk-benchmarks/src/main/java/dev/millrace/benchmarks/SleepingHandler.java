package dev.millrace.benchmarks;

import dev.millrace.KafkaFactory;
import dev.millrace.config.ConfigLoader;
import dev.millrace.config.KafkaConfig;
import dev.millrace.consumer.MessageConsumer;
import dev.millrace.producer.MessageProducer;
import dev.millrace.testkit.cluster.KafkaCluster;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How much of its permits a consumer uses when handlers wait: 5 ms per record, 64 permits, one
 * partition, 5,000 keys. The limit is permits / 5 ms; since a sleep of 5 ms takes longer than that,
 * the same number of bare threads that only sleep is measured beside it. Order per key and the
 * number of handled records are checked.
 */
public final class SleepingHandler {
  private static final int PERMITS = 64;
  private static final int HANDLER_MILLIS = 5;
  private static final int KEYS = 5_000;
  private static final int RECORDS = 100_000;
  private static final int ROUNDS = 3;

  private SleepingHandler() {}

  /** Runs all rounds and prints a line for each. */
  public static void main(String[] arguments) throws Exception {
    double limit = PERMITS * 1000.0 / HANDLER_MILLIS;
    try (KafkaCluster broker = KafkaCluster.start()) {
      broker.createTopic("sleepy", 1);
      KafkaConfig config = config(broker.bootstrapServers());
      try (KafkaFactory kafka = KafkaFactory.create(config)) {
        fill(kafka);
        double[] shares = new double[ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
          double bare = bareThreads();
          double millrace = consume(kafka, "round-" + round);
          shares[round] = millrace / limit;
          System.out.printf(
              "round %d: limit %.0f/s, bare threads %.0f/s, Millrace %.0f/s = %.1f %% of the limit, %.1f %% of the bare threads%n",
              round + 1, limit, bare, millrace, 100 * millrace / limit, 100 * millrace / bare);
        }
        Arrays.sort(shares);
        double median = shares[ROUNDS / 2];
        System.out.printf("median: %.1f %% of the limit%n", 100 * median);
        if (median < 0.9) {
          throw new IllegalStateException("less than nine tenths of the limit");
        }
      }
    }
  }

  private static KafkaConfig config(String brokers) {
    StringBuilder consumers = new StringBuilder();
    for (int round = 0; round < ROUNDS; round++) {
      consumers.append(
          "    round-%d: { topics: [sleepy], group-id: sleepy-%d, concurrency: %d }%n"
              .formatted(round, round, PERMITS));
    }
    return ConfigLoader.create()
        .environment(Map.of("BROKERS", brokers))
        .parse(
            "benchmark",
            """
            kafka:
              common: { bootstrap-servers: "${BROKERS}" }
              producers:
                filler: { topics: [sleepy], profile: throughput }
              consumers:
            """
                + consumers);
  }

  private static void fill(KafkaFactory kafka) {
    try (MessageProducer<Object> filler = kafka.createProducer("filler")) {
      List<CompletableFuture<?>> sent = new ArrayList<>(RECORDS);
      for (int i = 0; i < RECORDS; i++) {
        sent.add(filler.send("key-" + i % KEYS, Integer.toString(i)));
      }
      CompletableFuture.allOf(sent.toArray(CompletableFuture<?>[]::new)).join();
    }
  }

  private static double bareThreads() throws InterruptedException {
    AtomicInteger left = new AtomicInteger(RECORDS / 4);
    CountDownLatch ended = new CountDownLatch(PERMITS);
    long start = System.nanoTime();
    for (int i = 0; i < PERMITS; i++) {
      new Thread(
              () -> {
                while (left.getAndDecrement() > 0) {
                  sleep();
                }
                ended.countDown();
              })
          .start();
    }
    ended.await();
    return RECORDS / 4 / seconds(System.nanoTime() - start);
  }

  private static double consume(KafkaFactory kafka, String name) throws InterruptedException {
    AtomicIntegerArray next = new AtomicIntegerArray(KEYS);
    AtomicInteger outOfOrder = new AtomicInteger();
    AtomicLong first = new AtomicLong();
    CountDownLatch handled = new CountDownLatch(RECORDS);
    MessageConsumer consumer =
        kafka
            .createConsumer(name, String.class)
            .subscribe(
                (value, context) -> {
                  first.compareAndSet(0, System.nanoTime());
                  int record = Integer.parseInt(value);
                  int turn = record / KEYS;
                  if (!next.compareAndSet(record % KEYS, turn, turn + 1)) {
                    outOfOrder.incrementAndGet();
                  }
                  sleep();
                  handled.countDown();
                });
    if (!handled.await(2, TimeUnit.MINUTES)) {
      throw new IllegalStateException(handled.getCount() + " records were never handled");
    }
    double rate = RECORDS / seconds(System.nanoTime() - first.get());
    consumer.close();
    if (outOfOrder.get() > 0) {
      throw new IllegalStateException(outOfOrder + " records were handled out of order");
    }
    return rate;
  }

  private static void sleep() {
    try {
      TimeUnit.MILLISECONDS.sleep(HANDLER_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static double seconds(long nanos) {
    return nanos / 1e9;
  }
}
